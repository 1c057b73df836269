/** In place of the daemon's: this file is the command, and a worker. Node's flags for all of them are in the executable. */
import { spawnSync } from "node:child_process"
import type { OwnProgram } from "../../../packages/daemon/src/ownProgram.ts"
import { syntaxMark, workerMark } from "./marks.ts"

/** Where the modules that it lends seem to lie. */
export const ownDirectory = "/bickford"

/** The command that runs, to be started once more. */
export const sameCommand = (): OwnProgram => ({ file: process.execPath, args: [] })

/** A worker process, which takes a mount's name and source; `nodeOptions` are for its Node. */
export const workerProgram = (nodeOptions: ReadonlyArray<string>): OwnProgram => ({
  file: process.execPath,
  args: [...(nodeOptions.length === 0 ? [] : [`--node-options=${nodeOptions.join(" ")}`]), workerMark]
})

/** What Node reports of a file with a syntax error, the place among it. */
export const syntaxReport = (file: string): string =>
  spawnSync(process.execPath, [syntaxMark, file], { encoding: "utf8" }).stderr
