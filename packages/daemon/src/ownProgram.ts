/**
 * How this program starts itself again, and its workers: by Node and a file. The single executable, which is both,
 * has a module of its own in this one's place.
 */
import { spawnSync } from "node:child_process"
import { dirname } from "node:path"
import { noInspector } from "./strayedSignals.ts"

/** A program, and the arguments that come before one's own. */
export interface OwnProgram {
  readonly file: string
  readonly args: ReadonlyArray<string>
}

// The built file has the same name but for its ending.
const fromSource = import.meta.url.endsWith(".ts")
const workerEntry = new URL(fromSource ? "./worker/entry.ts" : "./worker/entry.js", import.meta.url).pathname

/** The directory of this package, whose frames in a stack are not a person's own. */
export const ownDirectory = dirname(import.meta.dirname)

/** The command that runs, to be started once more. */
export const sameCommand = (): OwnProgram => ({
  file: process.execPath,
  args: [...process.execArgv, noInspector, process.argv[1] ?? ""]
})

/** A worker process (`worker/entry.ts`), which takes a mount's name and source; `nodeOptions` are for its Node. */
export const workerProgram = (nodeOptions: ReadonlyArray<string>): OwnProgram => ({
  file: process.execPath,
  args: [
    "--disable-warning=ExperimentalWarning",
    noInspector,
    ...(fromSource ? ["--conditions=development"] : []),
    ...nodeOptions,
    workerEntry
  ]
})

/** What Node reports of a file with a syntax error, the place among it; empty for a file without. */
export const syntaxReport = (file: string): string =>
  spawnSync(process.execPath, ["--check", file], { encoding: "utf8" }).stderr
