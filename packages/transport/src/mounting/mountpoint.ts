/** The place to mount on: what is mounted there already, and whether it may be mounted on. */
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { constants } from "node:os"
import { errnoError, type TransportError } from "../errors.ts"
import { fd } from "../handle.ts"
import { findHolder } from "./holder.ts"
import { connectionNumber, findMount, isFuse, type MountEntry, mountTable } from "./mountinfo.ts"
import type { FuseHandle } from "../native.ts"
import { probe } from "./probe.ts"

const { EBUSY } = constants.errno

/** A mount as a person would name it: its type, source and, when known, its process. */
export const describeMount = (mounted: MountEntry): Effect.Effect<string> =>
  Effect.gen(function* () {
    const what = `${mounted.type} (source ${mounted.source}, device ${mounted.device})`
    if (!isFuse(mounted)) return what
    const holder = yield* findHolder(mounted.device)
    return holder === undefined ? what : `${what}, served by process ${holder.pid} (${holder.name})`
  })

const busy = (message: string): TransportError => errnoError("mount", -EBUSY, message)

/**
 * Makes `place` (absolute, without links) ready to be mounted on: has `detach` take away dead mounts that killed servers
 * left there, and fails with EBUSY when a mount that lives, or does not answer, is there, whoever's it is.
 */
export const clearMountpoint: <E>(
  place: string,
  detach: (dead: MountEntry) => Effect.Effect<void, E>
) => Effect.Effect<void, E | TransportError> = Effect.fnUntraced(function* <E>(
  place: string,
  detach: (dead: MountEntry) => Effect.Effect<void, E>
) {
  for (;;) {
    const mounted = findMount(place)
    if (mounted === undefined) return
    const health = yield* probe(mounted)
    if (health !== "dead") {
      const silent = health === "silent" ? ", which does not answer" : ""
      return yield* Effect.fail(busy(`${place} is already a mountpoint: ${yield* describeMount(mounted)}${silent}`))
    }
    yield* detach(mounted)
  }
})

/** The places that this program is about to mount on: a second one would pass the first one's examination. */
const claimed = new Set<string>()

/** Has `place` for `mounting` alone, in this program; fails with EBUSY when another is at it. */
export const withClaim = <A, E, R>(
  place: string,
  mounting: Effect.Effect<A, E, R>
): Effect.Effect<A, E | TransportError, R> =>
  Effect.suspend((): Effect.Effect<A, E | TransportError, R> => {
    if (claimed.has(place)) return Effect.fail(busy(`${place} is already a mountpoint: this program is mounting there`))
    claimed.add(place)
    return Effect.ensuring(
      mounting,
      Effect.sync(() => claimed.delete(place))
    )
  })

/** The connection of an open device, as the kernel numbers it (Linux 6.18); undefined where it does not tell. */
export const connectionOf = (handle: FuseHandle): string | undefined => {
  try {
    const [, id] = /^fuse_connection:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd(handle)}`, "utf8")) ?? []
    return id
  } catch {
    return undefined
  }
}

/** Whether the connection of an open device is mounted, anywhere that this process can see. False where the kernel does not tell. */
export const isConnectionMounted = (handle: FuseHandle): boolean => {
  const connection = connectionOf(handle)
  if (connection === undefined) return false
  return mountTable().some((entry) => isFuse(entry) && connectionNumber(entry.device) === Number(connection))
}

/**
 * The mount at `place` that was just made with `handle`. Before Linux 6.18 it is told by not having been there `before`:
 * of several new ones the topmost.
 */
export const findOwn = (
  place: string,
  handle: FuseHandle,
  before: ReadonlyArray<MountEntry>
): MountEntry | undefined => {
  const connection = connectionOf(handle)
  const old = new Set(before.map(({ id }) => id))
  return mountTable().findLast(
    (entry) =>
      entry.mountpoint === place &&
      isFuse(entry) &&
      (connection === undefined ? !old.has(entry.id) : connectionNumber(entry.device) === Number(connection))
  )
}

/** The mount, at the same place, that another process made first: `own` lies on top of it. */
export const findBelow = (own: MountEntry): MountEntry | undefined =>
  mountTable().find((entry) => entry.id === own.parent && entry.mountpoint === own.mountpoint)
