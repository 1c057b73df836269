/** `rm`: a file, a link, or a directory with all that is in it. */
import { Errno, type ErrnoError, type Local } from "@bickford/session"
import { statMode } from "@bickford/protocol"
import * as Effect from "effect/Effect"

const { S_IFDIR, S_IFMT } = statMode

const removeTree = (calls: Local.LocalCalls, path: string): Effect.Effect<void, ErrnoError> =>
  Effect.gen(function* () {
    for (const { name } of yield* calls.entries(path)) {
      const below = `${path === "/" ? "" : path}/${Buffer.from(name).toString()}`
      const { mode } = yield* calls.lstat(below)
      yield* (mode & S_IFMT) === S_IFDIR ? removeTree(calls, below) : calls.unlink(below)
    }
    yield* calls.rmdir(path)
  })

/** Removes `path`. Without `recursive` a directory is EISDIR; with `force` what is not there is no error. */
export const removing = (
  calls: Local.LocalCalls,
  path: string,
  { force = false, recursive = false }: { readonly recursive?: boolean; readonly force?: boolean }
): Effect.Effect<void, ErrnoError> =>
  Effect.gen(function* () {
    const { mode } = yield* calls.lstat(path)
    if ((mode & S_IFMT) !== S_IFDIR) yield* calls.unlink(path)
    else if (recursive) yield* removeTree(calls, path)
    else return yield* Errno.EISDIR
  }).pipe(Effect.catch((error) => (force && error._tag === "ENOENT" ? Effect.void : Effect.fail<ErrnoError>(error))))
