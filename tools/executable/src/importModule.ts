/** In place of the session's. boot.cjs has given this program the loader of files. */

/** The exports of the module at a URL. */
export const importModule = (url: string): Promise<unknown> => import(url)
