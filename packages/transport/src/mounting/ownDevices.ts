/**
 * The filesystems that this thread serves. They can be met below what a backend serves: by a bind mount, which no path
 * tells. The addon's calls that follow a name (`fs_look`, `fs_find`, `fs_find_path`) ask nothing of them: -EDEADLK.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { files } from "../filesystem/index.ts"
import { connectionOf } from "./mountpoint.ts"
import type { FuseHandle } from "../native.ts"

const own: Array<readonly [number, number]> = []

const tell = (): void => {
  files.fs_set_own_devices(Uint32Array.from(own.flat()))
}

/** Notes, while the scope lasts, that this thread serves the filesystem of `device` (`MAJOR:MINOR`). */
export const ownDevice = (device: string): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => {
        const [major = 0, minor = 0] = device.split(":").map(Number)
        const pair = [major, minor] as const
        own.push(pair)
        tell()
        return pair
      }),
      (pair) =>
        Effect.sync(() => {
          own.splice(own.indexOf(pair), 1)
          tell()
        })
    )
  )

/** As `ownDevice`, of a device that was mounted by somebody else; where the kernel does not tell which one that is (before Linux 6.18), nothing is noted. */
export const ownConnection = (handle: FuseHandle): Effect.Effect<void, never, Scope.Scope> =>
  Effect.suspend(() => {
    const connection = connectionOf(handle)
    return connection === undefined ? Effect.void : ownDevice(`0:${connection}`)
  })
