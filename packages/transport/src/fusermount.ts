/** Mounting and unmounting without privileges: fusermount3(1). */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"
import { type TransportError, transportError } from "./errors.ts"
import { close } from "./handle.ts"
import { addon, type FuseHandle, type HelperOptions, type HelperOutcome } from "./native.ts"

/** How the helper is run. */
export interface FusermountOptions {
  /** The helper. Default: the first `fusermount3` on PATH. */
  readonly program?: string
  /** Milliseconds until a helper that hangs is killed. Default 30000. */
  readonly timeout?: number
}

const name = "fusermount3"

// What the helper says for an errno: its environment has no locale, so it says it in English.
const said: ReadonlyArray<readonly [words: string, errno: number]> = [
  ["Operation not permitted", 1],
  ["No such file or directory", 2],
  ["Permission denied", 13],
  ["Device or resource busy", 16],
  ["No such device", 19],
  ["Invalid argument", 22],
  ["Transport endpoint is not connected", 107],
  ["not found in /etc/mtab", 22]
]

const findHelper = (options: FusermountOptions): Effect.Effect<HelperOptions, TransportError> =>
  Effect.suspend(() => {
    const path = process.env["PATH"] ?? ""
    const program = options.program ?? path.split(delimiter).map((folder) => join(folder, name)).find((file) => existsSync(file))
    if (program === undefined) {
      const where = path === "" ? "PATH is empty" : `not on the PATH (${path})`
      return Effect.fail(transportError("fusermount_failed", name, 2, `${name}: ${where}; install it (Debian: apt-get install fuse3)`))
    }
    return Effect.succeed({ program, path, ...(options.timeout === undefined ? {} : { timeout: options.timeout }) })
  })

const hintFor = (output: string): string => {
  if (output.includes("user_allow_other")) return "; put the line user_allow_other into /etc/fuse.conf, or mount without allow_other"
  if (output.includes("failed to open /dev/fuse")) return "; this user may not use /dev/fuse (its mode should be 0666)"
  if (output.includes("fuse device not found")) return "; load the kernel's module (modprobe fuse)"
  return ""
}

/** Undefined when the helper did as it was told. */
const failureOf = (helper: HelperOptions, outcome: HelperOutcome | number): TransportError | undefined => {
  const program = helper.program ?? name
  const fail = (errno: number, message: string) => transportError("fusermount_failed", name, errno, message)
  if (typeof outcome === "number") return fail(-outcome, `${name}: no thread could be started for it`)
  const output = outcome.output.trim().replaceAll("\n", "; ")
  const also = output === "" ? "" : ` (${output})`
  if (outcome.error === -110) return fail(110, `${name}: did not end in time and was killed${also}`)
  if (outcome.error !== 0) return fail(-outcome.error, `${name}: ${program} could not be run: ${outcome.syscall}: ${transportError("fusermount_failed", "", -outcome.error, "").code}${also}`)
  if (outcome.signal !== 0) return fail(0, `${name}: was killed by signal ${outcome.signal}${also}`)
  if (outcome.exitCode === 0) return undefined
  const errno = said.find(([words]) => output.includes(words))?.[1] ?? 0
  return fail(errno, output === "" ? `${name}: exited with status ${outcome.exitCode} and said nothing` : `${output}${hintFor(output)}`)
}

/**
 * Mounts through the helper; `options` as for its `-o`, commas and backslashes in values escaped.
 * `auto_unmount` is not for this: the helper would stay. Fails with `fusermount_failed` (the message is
 * the helper's own) or `fusermount_no_fd`.
 */
export const fusermountMount = (
  mountpoint: string,
  options: string,
  how: FusermountOptions = {}
): Effect.Effect<FuseHandle, TransportError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.gen(function*() {
      const helper = yield* findHelper(how)
      const outcome = yield* Effect.promise(() => addon.fusermount3_mount(mountpoint, options, helper))
      const failure = failureOf(helper, outcome)
      if (failure !== undefined) return yield* Effect.fail(failure)
      if (typeof outcome === "number" || outcome.handle === undefined) {
        return yield* Effect.fail(transportError("fusermount_no_fd", name, 0, `${name}: ${helper.program} ended without sending the device; is it libfuse's?`))
      }
      return outcome.handle
    }),
    close
  )

/** Unmounts through the helper; `lazy` detaches a mount that is in use. */
export const fusermountUnmount = (
  mountpoint: string,
  lazy: boolean,
  how: FusermountOptions = {}
): Effect.Effect<void, TransportError> =>
  Effect.gen(function*() {
    const helper = yield* findHelper(how)
    const outcome = yield* Effect.promise(() => addon.fusermount3_unmount(mountpoint, lazy, helper))
    const failure = failureOf(helper, outcome)
    if (failure !== undefined) return yield* Effect.fail(failure)
  })
