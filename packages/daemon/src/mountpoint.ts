/** The place to mount on: what is there, and whether it may be used. */
import { findMount, type MountEntry, unmountDevice } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { realpath } from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import { type CommandError, commandError } from "./CommandError.ts"
import { findHolder } from "./holder.ts"
import { probe } from "./probe.ts"

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

/** The mount at `place`, as a person would name it: its type, source and, when known, its process. */
export const describe = (mounted: MountEntry): Effect.Effect<string> =>
  Effect.gen(function*() {
    const what = `${mounted.type} (source ${mounted.source}, device ${mounted.device})`
    if (!isFuse(mounted)) return what
    const holder = yield* findHolder(mounted.device)
    return holder === undefined ? what : `${what}, served by process ${holder.pid} (${holder.name})`
  })

export const isFuse = (mounted: MountEntry): boolean => /^fuse(blk)?(\.|$)/.test(mounted.type)

/**
 * Makes `place` ready to be mounted on: detaches dead mounts that killed servers left there, and refuses
 * when a mount that lives is there, whoever's it is.
 */
export const clear: (place: string) => Effect.Effect<void, CommandError> = Effect.fnUntraced(function*(place: string) {
  for (;;) {
    const mounted = findMount(place)
    if (mounted === undefined) return
    const health = isFuse(mounted) ? yield* probe(place) : "alive"
    if (health !== "dead") {
      const silent = health === "silent" ? ", which does not answer" : ""
      return yield* Effect.fail(commandError(`${place} is already a mountpoint: ${yield* describe(mounted)}${silent}`))
    }
    yield* Effect.mapError(
      unmountDevice({ mountpoint: place }, { lazy: true }),
      (error) => commandError(`${place} is dead and could not be detached: ${error.message}`)
    )
  }
})
