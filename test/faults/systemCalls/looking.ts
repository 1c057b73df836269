/**
 * Under the shim: how many times statx is called to look at a file by its name ten times, on the filesystem of the
 * directory that is given, in a program that serves one itself. Prints the number.
 */
import { files, ownDevice } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { mkdirSync } from "node:fs"
import { callsOf } from "./faults.ts"

const directory = process.argv[2] ?? ""
mkdirSync(`${directory}/file`, { recursive: true })

const looked = Effect.gen(function* () {
  yield* ownDevice("0:1048575")
  const folder = files.fs_open_folder(directory)
  files.fs_look(folder, "file")
  const count = callsOf("statx", () => {
    for (let time = 0; time < 10; time++) files.fs_look(folder, "file")
  })
  files.fs_close(folder)
  return count
})
process.stdout.write(String(await Effect.runPromise(Effect.scoped(looked))))
