/** In the place of the module that names a file beside it: there is none, so a directory is served by one thread. */
export const isolateModule: string | undefined = undefined
