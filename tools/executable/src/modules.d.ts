/** Made by scripts/executable.mjs: the modules of this program that a person's module may import, each loaded by a call. */
export declare const modules: { readonly [specifier: string]: () => object }
