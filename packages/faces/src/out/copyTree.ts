/** Copies a file, a link, or a directory with all that is in it, as `cp -r` does. */
import * as Effect from "effect/Effect"
import { copyExclusively } from "./arguments.ts"
import type { Called, NodeCalls } from "./NodeCalls.ts"
import { FaceStats } from "./stats.ts"

/** How a tree is copied. */
export interface CopyOptions {
  /** Replace what is there; otherwise it is left as it is. */
  readonly overwrite?: boolean | undefined
  /** The copies have the originals' times. */
  readonly preserveTimestamps?: boolean | undefined
}

/** Copies `from` to `to`. */
export const copyTree = (calls: NodeCalls, from: string, to: string, options: CopyOptions = {}): Called<void> =>
  Effect.gen(function* () {
    const stats = new FaceStats(yield* calls.lstat(from))
    if (stats.isDirectory()) {
      yield* calls.mkdirs(to, stats.mode)
      for (const { name } of yield* calls.readdir(from))
        yield* copyTree(calls, `${from}/${name}`, `${to}/${name}`, options)
    } else {
      const overwrite = options.overwrite === true
      const copied = stats.isSymbolicLink()
        ? Effect.flatMap(calls.readlink(from), (target) =>
            Effect.andThen(overwrite ? calls.rm(to, { force: true }) : Effect.void, calls.symlink(target, to))
          )
        : calls.copyFile(from, to, overwrite ? 0 : copyExclusively)
      yield* Effect.catch(copied, (error) => (!overwrite && error.code === "EEXIST" ? Effect.void : Effect.fail(error)))
    }
    if (options.preserveTimestamps === true) yield* calls.utimes(to, stats.atime, stats.mtime, false)
  })
