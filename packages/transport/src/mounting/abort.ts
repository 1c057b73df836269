/** Aborting a connection: everyone who waits for an answer gets ECONNABORTED at once. */
import * as Effect from "effect/Effect"
import { closeSync, existsSync, openSync, writeSync } from "node:fs"
import { constants } from "node:os"
import { errnoError, type TransportError } from "../errors.ts"
import { connectionNumber, isMounted } from "./mountinfo.ts"
import { addon, type FuseHandle } from "../native.ts"

const { EBUSY, EIO, ENOENT } = constants.errno

/** Where fusectl lists the connections. */
export const fusectl = "/sys/fs/fuse/connections"

const negativeErrno = (error: unknown): number =>
  typeof error === "object" && error !== null && "errno" in error && typeof error.errno === "number"
    ? error.errno
    : -EIO

/** A connection's directory in fusectl; `device` is `MAJOR:MINOR` of its mount. */
const connectionFolder = (device: string): string => `${fusectl}/${connectionNumber(device)}`

/** The file that aborts the connection of a mount's device when it is written to. */
export const abortFileOf = (device: string): string => `${connectionFolder(device)}/abort`

/** Mounts fusectl where it is missing and this process may. True when it is there. */
export const mountFusectl: Effect.Effect<boolean> = Effect.suspend(() => {
  if (process.geteuid?.() !== 0 || !existsSync(fusectl)) return Effect.succeed(false)
  // EBUSY: it is mounted there already.
  return Effect.map(
    Effect.promise(() => addon.mount("fusectl", fusectl, "fusectl", 0, "")),
    (result) => result === 0 || result === -EBUSY
  )
})

/** 0 or a negative errno. Synchronous: the kernel answers it by itself, and libuv's pool may be what hangs. */
const writeAbort = (file: string): number => {
  try {
    const fd = openSync(file, "w")
    try {
      writeSync(fd, "1")
    } finally {
      closeSync(fd)
    }
    return 0
  } catch (error) {
    return negativeErrno(error)
  }
}

/** The mount whose connection is to be aborted. */
export interface AbortTarget {
  readonly mountpoint: string
  /** `MAJOR:MINOR`, as in /proc/self/mountinfo. */
  readonly device: string
  /** Of the connection's device, if it is at hand: it may be aborted where nothing is mounted any more. */
  readonly handle?: FuseHandle
}

/** Once a mount is gone its number is the next one's, and that is somebody else's. */
const isThere = (target: AbortTarget): boolean =>
  (target.handle !== undefined && addon.connected(target.handle)) || isMounted(target)

/** Aborts a mount's connection without waiting for anything: 0, also when it is gone already, or a negative errno. */
export const abortConnectionNow = (target: AbortTarget): number =>
  isThere(target) ? writeAbort(abortFileOf(target.device)) : 0

/**
 * Aborts a mount's connection, through fusectl, which root mounts where it is missing. A connection that
 * is gone already is not an error. The mount itself stays, dead: unmount it too.
 */
export const abortConnection = (target: AbortTarget): Effect.Effect<void, TransportError> =>
  Effect.gen(function* () {
    if (!isThere(target)) return
    const connection = connectionFolder(target.device)
    let result = writeAbort(abortFileOf(target.device))
    if (result === -ENOENT && (yield* mountFusectl)) {
      result = writeAbort(abortFileOf(target.device))
      // With fusectl there, the connection is what is missing.
      if (result === -ENOENT) return
    }
    if (result < 0) {
      const hint =
        result === -ENOENT
          ? `fusectl is not mounted at ${fusectl}, or the connection is gone`
          : `aborting through ${connection}`
      return yield* Effect.fail(errnoError("open", result, hint))
    }
  })
