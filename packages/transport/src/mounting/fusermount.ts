/** Mounting and unmounting without privileges: fusermount3(1). */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { constants } from "node:os"
import { delimiter, join } from "node:path"
import { errnoTag, type FusermountError, transportError } from "../errors.ts"
import { close } from "../handle.ts"
import { addon, type FuseHandle, type HelperOptions, type HelperOutcome } from "../native.ts"

/** How the helper is run. */
export interface FusermountOptions {
  /** The helper. Default: the first `fusermount3` on PATH. */
  readonly program?: string
  /** Milliseconds until a helper that hangs is killed. Default 30000. */
  readonly timeout?: number
}

const name = "fusermount3"
const { ETIMEDOUT } = constants.errno

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

const failed = (errno: number, message: string, output = ""): FusermountError =>
  Object.assign(transportError("fusermount_failed", name, errno, message), { output })

const sentNothing = (errno: number, message: string, output: string): FusermountError =>
  Object.assign(transportError("fusermount_no_fd", name, errno, message), { output })

/** A helper that was found. */
type Helper = HelperOptions & { readonly program: string; readonly path: string }

const helperOf = (options: FusermountOptions): Helper | FusermountError => {
  const path = process.env["PATH"] ?? ""
  const program =
    options.program ??
    path
      .split(delimiter)
      .map((folder) => join(folder, name))
      .find((file) => existsSync(file))
  if (program === undefined) {
    const where = path === "" ? "PATH is empty" : `not on the PATH (${path})`
    return failed(2, `${name}: ${where}; install it (Debian: apt-get install fuse3)`)
  }
  return { program, path, ...(options.timeout === undefined ? {} : { timeout: options.timeout }) }
}

const findHelper = (options: FusermountOptions): Effect.Effect<Helper, FusermountError> =>
  Effect.suspend(() => {
    const helper = helperOf(options)
    return "_tag" in helper ? Effect.fail(helper) : Effect.succeed(helper)
  })

const hintFor = (output: string): string => {
  if (output.includes("user_allow_other"))
    return "; put the line user_allow_other into /etc/fuse.conf, or mount without allow_other"
  if (output.includes("failed to open /dev/fuse")) return "; this user may not use /dev/fuse (its mode should be 0666)"
  if (output.includes("fuse device not found")) return "; load the kernel's module (modprobe fuse)"
  return ""
}

/** What the helper printed, to be put into a sentence. */
const wordsOf = ({ output }: HelperOutcome): string => output.trim().replaceAll("\n", "; ")

const also = (outcome: HelperOutcome): string => {
  const words = wordsOf(outcome)
  return words === "" ? "" : ` (${words})`
}

/** The helper was not run to an end of its own; undefined when it was. */
const notRun = (helper: HelperOptions, outcome: HelperOutcome): FusermountError | undefined => {
  if (outcome.error === 0) return undefined
  const errno = -outcome.error
  if (errno === ETIMEDOUT)
    return failed(errno, `${name}: did not end in time and was killed${also(outcome)}`, outcome.output)
  return failed(
    errno,
    `${name}: ${helper.program ?? name} could not be run: ${outcome.syscall}: ${errnoTag(errno)}${also(outcome)}`,
    outcome.output
  )
}

/** Why the helper ended as it should not, with the errno that it named; undefined when it exited with 0. */
const refusal = (outcome: HelperOutcome): readonly [errno: number, message: string] | undefined => {
  if (outcome.signal !== 0) return [0, `${name}: was killed by signal ${outcome.signal}${also(outcome)}`]
  if (outcome.exitCode === 0) return undefined
  const words = wordsOf(outcome)
  const errno = said.find(([phrase]) => words.includes(phrase))?.[1] ?? 0
  return [
    errno,
    words === "" ? `${name}: exited with status ${outcome.exitCode} and said nothing` : `${words}${hintFor(words)}`
  ]
}

const noThread = (result: number): FusermountError => failed(-result, `${name}: no thread could be started for it`)

/** The device that the helper sent, or why there is none. */
const deviceOf = (helper: HelperOptions, outcome: HelperOutcome): Effect.Effect<FuseHandle, FusermountError> => {
  const { handle, output, sent } = outcome
  if (handle !== undefined) return Effect.succeed(handle)
  const problem = notRun(helper, outcome)
  if (problem !== undefined) return Effect.fail(problem)
  const program = helper.program ?? name
  if (sent === "bytes")
    return Effect.fail(
      failed(0, `${name}: ${program} sent something that is not a descriptor; is it libfuse's?${also(outcome)}`, output)
    )
  const silent = `${name}: ${program} ended without sending the device; is it libfuse's?${also(outcome)}`
  const [errno, message] = refusal(outcome) ?? [0, silent]
  return Effect.fail(sent === "nothing" ? sentNothing(errno, message, output) : failed(errno, message, output))
}

/**
 * Mounts through the helper: `fusermount3 -o OPTIONS -- MOUNTPOINT`. `options` are joined by commas, commas and
 * backslashes in their values escaped; the empty string is none. `auto_unmount` is not for this: the helper would stay.
 *
 * Fails with `fusermount_no_fd` when the helper ended without sending anything (no such mountpoint, options that are
 * rejected), and with `fusermount_failed` when it sent something that is not a descriptor, failed after it sent one, was
 * killed at the end of its time or could not be run. Both carry what it printed.
 */
export const fusermount3_mount = (
  mountpoint: string,
  options: string,
  how: FusermountOptions = {}
): Effect.Effect<FuseHandle, FusermountError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const helper = yield* findHelper(how)
      const outcome = yield* Effect.promise(() => addon.fusermount3_mount(mountpoint, options, helper))
      return yield* typeof outcome === "number" ? Effect.fail(noThread(outcome)) : deviceOf(helper, outcome)
    }),
    close
  )

/** Why the helper did not unmount; undefined when it did. */
const unmountFailure = (helper: HelperOptions, outcome: HelperOutcome): FusermountError | undefined => {
  const refused = refusal(outcome)
  return notRun(helper, outcome) ?? (refused === undefined ? undefined : failed(...refused, outcome.output))
}

/** Unmounts through the helper; `lazy` detaches a mount that is in use. Fails with `fusermount_failed`. */
export const fusermount3_unmount = (
  mountpoint: string,
  lazy: boolean,
  how: FusermountOptions = {}
): Effect.Effect<void, FusermountError> =>
  Effect.gen(function* () {
    const helper = yield* findHelper(how)
    const outcome = yield* Effect.promise(() => addon.fusermount3_unmount(mountpoint, lazy, helper))
    if (typeof outcome === "number") return yield* Effect.fail(noThread(outcome))
    const problem = unmountFailure(helper, outcome)
    if (problem !== undefined) return yield* Effect.fail(problem)
  })

/** Milliseconds, as the addon's. */
const defaultTimeout = 30_000

/** Detaches through the helper, and holds up this thread until that has ended. */
export const fusermountDetachNow = (mountpoint: string, how: FusermountOptions = {}): FusermountError | undefined => {
  const helper = helperOf(how)
  if ("_tag" in helper) return helper
  const { error, signal, status, stderr } = spawnSync(helper.program, ["-u", "-z", "--", mountpoint], {
    cwd: "/",
    env: { PATH: helper.path },
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
    timeout: helper.timeout ?? defaultTimeout
  })
  const errno =
    error !== undefined && "errno" in error && typeof error.errno === "number"
      ? error.errno
      : error === undefined
        ? 0
        : -constants.errno.EIO
  return unmountFailure(helper, {
    error: errno,
    syscall: "spawn",
    exitCode: status ?? 0,
    signal: signal === null ? 0 : constants.signals[signal],
    output: stderr ?? "",
    sent: "nothing"
  })
}
