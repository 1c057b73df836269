/** `bickford fsck`: says what is wrong with a store, and changes nothing. */
import { checkStore } from "@bickford/backends"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { commandError } from "./CommandError.ts"
import { storePath } from "./source.ts"

/** Fails when there is something to repair. `store` is a path, or a source. */
export const fsck = Effect.fnUntraced(function*(store: string) {
  const path = storePath(store) ?? store
  const { bytes, inodes, orphans, problems } = yield* Effect.mapError(checkStore(path), ({ message }) => commandError(message))
  for (const { repair, what } of problems) yield* Console.log(`${what}: ${repair}`)
  if (orphans > 0) yield* Console.log(`${orphans} files without a name, which the next mount removes`)
  if (problems.length > 0) return yield* Effect.fail(commandError(`${path}: ${problems.length} problems; keep a copy before you mount it`))
  yield* Console.log(`${path}: clean, ${inodes} inodes, ${bytes} bytes`)
})
