/** In place of the library's: this file is the command. */

/** The command `bickford`: what its own arguments follow. */
export const commandProgram = (): { readonly file: string; readonly args: ReadonlyArray<string> } => ({
  file: process.execPath,
  args: []
})
