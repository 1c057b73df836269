/** Imports a person's module. The single executable has a module of its own in this one's place: its code has no loader of files. */

/** The exports of the module at a URL. */
export const importModule = (url: string): Promise<unknown> => import(url)
