/** The set-uid helper fusermount3, which mounts for everyone who is not root. */
import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import * as Effect from "effect/Effect"
import { systemError, transportError, type TransportError } from "./errors.ts"
import { type FuseHandle, type HelperOutcome, native } from "./native.ts"

/** How long the helper may take, in milliseconds. */
const defaultTimeoutMs = 30_000

const findHelper: Effect.Effect<string, TransportError> = Effect.suspend(() => {
  const path = process.env["PATH"] ?? ""
  for (const folder of path.split(delimiter)) {
    const file = join(folder, "fusermount3")
    try {
      accessSync(file, constants.X_OK)
      return Effect.succeed(file)
    } catch {
      continue
    }
  }
  const where = path === "" ? "PATH is empty" : `not found in PATH (${path})`
  return Effect.fail(transportError("fusermount_failed", "posix_spawn", `fusermount3: ${where}; install the package fuse3`, 2))
})

const environment = (): ReadonlyArray<string> => Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ""}`)

const said = (outcome: HelperOutcome): string => {
  const text = outcome.stderr.trim()
  const hint = text.includes("user_allow_other") ? " (add the line user_allow_other to /etc/fuse.conf, or mount without allow_other)" : ""
  return `${text === "" ? `fusermount3 ended with status ${outcome.status} and no message` : text}${hint}`
}

const check = (outcome: HelperOutcome): TransportError | undefined => {
  if (outcome.error === -110) return transportError("fusermount_failed", outcome.syscall, "fusermount3 did not end in time and was killed", 110)
  if (outcome.error < 0) return systemError(outcome.syscall, outcome.error, "fusermount3 could not be run")
  return outcome.status === 0 ? undefined : transportError("fusermount_failed", "fusermount3", said(outcome))
}

/** Mounts through the helper: the connection's `/dev/fuse` handle. */
export const fusermount3Mount = (mountpoint: string, options: string, timeoutMs = defaultTimeoutMs): Effect.Effect<FuseHandle, TransportError> =>
  Effect.gen(function*() {
    const program = yield* findHelper
    const outcome = yield* Effect.promise(() => native.fusermount3_mount(mountpoint, options, program, environment(), timeoutMs))
    const failed = check(outcome)
    if (failed !== undefined) {
      if (outcome.handle !== undefined) native.close(outcome.handle)
      return yield* Effect.fail(failed)
    }
    if (outcome.handle === undefined || outcome.descriptors !== 1) {
      if (outcome.handle !== undefined) native.close(outcome.handle)
      return yield* Effect.fail(
        transportError("fusermount_no_fd", "recvmsg", `fusermount3 sent ${outcome.descriptors} descriptors, 1 expected: ${said(outcome)}`)
      )
    }
    return outcome.handle
  })

/** Unmounts through the helper; `lazy` detaches a busy mount. */
export const fusermount3Unmount = (mountpoint: string, lazy: boolean, timeoutMs = defaultTimeoutMs): Effect.Effect<void, TransportError> =>
  Effect.gen(function*() {
    const program = yield* findHelper
    const outcome = yield* Effect.promise(() => native.fusermount3_unmount(mountpoint, lazy ? "z" : "", program, environment(), timeoutMs))
    const failed = check(outcome)
    if (failed !== undefined) return yield* Effect.fail(failed)
  })
