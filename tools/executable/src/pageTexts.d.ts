/** Made by scripts/executable.mjs: the modules of the daemon's page, without types, by their names. */
export declare const pageTexts: { readonly [name: string]: string }
