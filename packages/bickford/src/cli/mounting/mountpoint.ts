/** The place to mount on: what is there, and whether it may be used. */
import { type CommandError, commandError } from "@bickford/daemon"
import { findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { realpath } from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"

/**
 * The absolute path without symbolic links, as the kernel lists it. Asks nothing of a filesystem mounted
 * at `path` itself, which may be dead or silent.
 */
export const canonical = (path: string): Effect.Effect<string, CommandError> =>
  Effect.tryPromise({
    try: async () => {
      const absolute = resolve(path)
      return absolute === "/" ? absolute : join(await realpath(dirname(absolute)), basename(absolute))
    },
    catch: () => commandError(`${path}: no such directory`)
  }).pipe(
    Effect.flatMap((place) =>
      findMount(place) !== undefined
        ? Effect.succeed(place)
        : Effect.tryPromise({ try: () => realpath(place), catch: () => commandError(`${path}: no such directory`) })
    )
  )
