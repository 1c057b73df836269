/** Sources that lie at or below the mountpoint that they are to be served at. */
import { realpath } from "node:fs/promises"
import { basename, dirname, join, relative, resolve } from "node:path"
import * as Effect from "effect/Effect"
import { type CommandError, commandError } from "../CommandError.ts"
import { sourceOf } from "./index.ts"

/** A path without links, as far as it exists; to be asked before anything is mounted over it. */
const withoutLinks = async (path: string): Promise<string> => {
  const absolute = resolve(path)
  try {
    return await realpath(absolute)
  } catch {
    // A store is made when it is not there.
    return realpath(dirname(absolute)).then(
      (directory) => join(directory, basename(absolute)),
      () => absolute
    )
  }
}

const isAtOrBelow = (path: string, place: string): boolean => {
  const way = relative(place, path)
  return way !== ".." && !way.startsWith("../")
}

/**
 * The source as it can be served once `place`, a path without links, is mounted on: a directory is reached underneath
 * the mount, by its path without links; a store is not, and is refused.
 */
export const beforeMounting = (source: string, place: string): Effect.Effect<string, CommandError> =>
  Effect.gen(function* () {
    const { kind, path } = yield* sourceOf(source)
    if (kind.covered === undefined) return source
    const real = yield* Effect.promise(() => withoutLinks(path))
    if (kind.covered === "refused" && isAtOrBelow(real, place)) {
      return yield* Effect.fail(
        commandError(
          `the store ${real} lies at or below the mountpoint ${place}, where the mount hides it from its own server; keep the store elsewhere`
        )
      )
    }
    if (kind.holdsMountpoint === "refused" && real !== place && isAtOrBelow(place, real)) {
      return yield* Effect.fail(
        commandError(
          `the directory ${real} holds the mountpoint ${place}, whose server would wait for itself; mount it outside of the directory, or over the directory itself`
        )
      )
    }
    return `${kind.kind}:${real}`
  })
