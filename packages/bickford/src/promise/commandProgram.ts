/** How a program starts the command. The single executable has a module of its own in this one's place. */
import { fileURLToPath } from "node:url"

/** The command `bickford` of this package: what its own arguments follow. */
export const commandProgram = (): { readonly file: string; readonly args: ReadonlyArray<string> } => ({
  file: process.execPath,
  args: [fileURLToPath(new URL("../../bin/bickford.cjs", import.meta.url))]
})
