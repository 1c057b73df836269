/** Options are checked before anything is mounted; an error names the option and what it must be. */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import { sourceFault } from "./backendFault.ts"
import type { MountOptions } from "./MountOptions.ts"
import { errnoName } from "@bickford/protocol"
import { opcodeTable } from "@bickford/protocol/codec"
import type { SessionOptions } from "./SessionOptions.ts"

/** An option has a value it cannot have, or there is no such option. */
export class OptionError extends Data.TaggedError("OptionError")<{
  /** The option's name. */
  readonly option: string
  /** What the value is and what it must be. */
  readonly message: string
}> {}

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null

/** Whether a failure is an `OptionError`. */
export const isOptionError = (value: unknown): value is OptionError =>
  isRecord(value) && value["_tag"] === "OptionError" && typeof value["message"] === "string"

/** What a value must be; undefined when it is. */
type Check = (value: unknown) => string | undefined

const whole =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= least && value <= most
      ? undefined
      : `a whole number from ${least} to ${most}`

const flag: Check = (value) => (typeof value === "boolean" ? undefined : "true or false")
const text: Check = (value) =>
  typeof value === "string" && value !== "" && !/[\0\n]/.test(value) ? undefined : "a text with no line break"
const callable: Check = (value) => (typeof value === "function" ? undefined : "a function")
const oneOf =
  (...values: ReadonlyArray<string>): Check =>
  (value) =>
    typeof value === "string" && values.includes(value)
      ? undefined
      : values.map((one) => JSON.stringify(one)).join(" or ")

const toMillis = (value: unknown): number => {
  try {
    // What is no duration throws.
    return Duration.toMillis(Duration.fromInputUnsafe(value as Duration.Input))
  } catch {
    return Number.NaN
  }
}

const duration: Check = (value) =>
  toMillis(value) >= 0 ? undefined : 'a duration, as "5 seconds" or a number of milliseconds'

const limit: Check = (value) =>
  isRecord(value) &&
  duration(value["after"]) === undefined &&
  typeof value["errno"] === "number" &&
  errnoName(value["errno"]) !== undefined
    ? undefined
    : "{ after: a duration, errno: a positive error number }"

const operations = new Set(opcodeTable.flatMap((row) => (row === undefined ? [] : [row.op as string])))

const deadline: Check = (value) => {
  if (!isRecord(value)) return "a deadline, or one for each operation"
  if ("after" in value || "errno" in value) return limit(value)
  for (const [op, one] of Object.entries(value)) {
    if (!operations.has(op)) return `deadlines by operation; none is called ${op}`
    const wrong = limit(one)
    if (wrong !== undefined) return `for ${op}: ${wrong}`
  }
  return undefined
}

const record: Check = (value) =>
  isRecord(value) &&
  typeof value["id"] === "string" &&
  (value["negotiated"] === undefined || isRecord(value["negotiated"]))
    ? undefined
    : "what onNegotiated was called with"

const atimeRule = oneOf("relatime", "strictatime", "noatime")
const atime: Check = (value) =>
  isRecord(value) && atimeRule(value["files"]) === undefined && atimeRule(value["directories"]) === undefined
    ? undefined
    : '{ files, directories }, each "relatime", "strictatime" or "noatime"'

const threads: Check = (value) =>
  value === "auto" || whole(1, 0xffff)(value) === undefined ? undefined : '"auto", or a whole number from 1 to 65535'

const isolates: Check = (value) =>
  isRecord(value) &&
  threads(value["threads"]) === undefined &&
  typeof value["mountpoint"] === "string" &&
  typeof value["device"] === "string"
    ? undefined
    : "{ threads, mountpoint, device }"

const labels = ["context", "fscontext", "defcontext", "rootcontext"]
const label = (value: unknown): boolean => typeof value === "string" && /^[^\0\n"]+$/.test(value)
const securityContexts: Check = (value) =>
  isRecord(value) && Object.entries(value).every(([name, one]) => labels.includes(name) && label(one))
    ? undefined
    : `labels without quotes, named ${labels.join(", ")}`

type Checks<Options> = { readonly [Option in keyof Required<Options>]: Check }

const sessionChecks: Checks<SessionOptions> = {
  maxWrite: whole(4096, 65535 * 4096),
  maxReadahead: whole(0, 0xffff_ffff),
  maxBackground: whole(1, 0xffff),
  congestionThreshold: whole(1, 0xffff),
  timeGranularity: whole(1, 1_000_000_000),
  posixAcl: flag,
  allowIdmap: flag,
  posixLocks: flag,
  flock: flag,
  writebackCache: flag,
  readdirplus: oneOf("auto", "always", "never"),
  asyncRead: flag,
  parallelDirops: flag,
  resend: flag,
  abortError: flag,
  requestTimeout: whole(0, 0xffff),
  maxStackDepth: whole(1, 2),
  securityCtx: flag,
  maxInFlight: whole(1, Number.MAX_SAFE_INTEGER),
  maxBytesInFlight: whole(1, Number.MAX_SAFE_INTEGER),
  maxRestarts: whole(0, Number.MAX_SAFE_INTEGER),
  maxSeconds: duration,
  drain: duration,
  grace: duration,
  deadline,
  atime,
  isolates,
  resume: record,
  onNegotiated: callable
}

const mountChecks: Checks<Omit<MountOptions, "session">> = {
  mountpoint: text,
  // `checkSource` looks at it.
  backend: () => undefined,
  fsname: text,
  subtype: text,
  allowOther: flag,
  defaultPermissions: flag,
  readOnly: flag,
  noexec: flag,
  suid: flag,
  dev: flag,
  sync: flag,
  dirsync: flag,
  nosymfollow: flag,
  securityContexts,
  noatime: flag,
  nodiratime: flag,
  strictatime: flag,
  // The kernel takes 1 to 4095 for 4096.
  maxRead: (value) =>
    value === 0 || whole(4096, 0xffff_ffff)(value) === undefined
      ? undefined
      : "0, or a whole number from 4096 to 4294967295",
  blkdev: flag,
  blksize: (value) =>
    typeof value === "number" && value >= 512 && value <= 1 << 20 && Number.isInteger(Math.log2(value))
      ? undefined
      : "a power of two from 512 to 1048576",
  threads,
  syncInit: flag,
  startTimeout: duration,
  stopTimeout: duration,
  selfWaitTimeout: duration,
  unmountOnExit: flag,
  remount: oneOf("never", "onAbort")
}

const shown = (value: unknown): string =>
  typeof value === "string" ? JSON.stringify(value) : isRecord(value) ? "an object" : String(value)

const check = (options: object, checks: { readonly [option: string]: Check }): OptionError | undefined => {
  for (const [option, value] of Object.entries(options)) {
    const must = Object.hasOwn(checks, option) ? checks[option] : undefined
    if (must === undefined) {
      const message = `there is no option ${option}; the options are ${Object.keys(checks).join(", ")}`
      return new OptionError({ option, message })
    }
    const expected = value === undefined ? undefined : must(value)
    if (expected !== undefined)
      return new OptionError({ option, message: `option ${option} is ${shown(value)}; it must be ${expected}` })
  }
  return undefined
}

/** What is to be served, before anything is done for it. */
export const checkSource = (source: unknown): OptionError | undefined => {
  const message = sourceFault(source)
  return message === undefined ? undefined : new OptionError({ option: "backend", message })
}

export const checkSessionOptions = (options: SessionOptions): OptionError | undefined => check(options, sessionChecks)

/** What is right by itself and wrong beside another option. */
const conflict = (options: MountOptions): OptionError | undefined => {
  const { blkdev, blksize, defaultPermissions, fsname, session, syncInit, threads } = options
  if (session?.allowIdmap === true && defaultPermissions === false) {
    return new OptionError({
      option: "allowIdmap",
      message: "option allowIdmap needs defaultPermissions: the kernel checks permissions on idmapped mounts"
    })
  }
  if (syncInit === true && threads !== undefined) {
    return new OptionError({
      option: "syncInit",
      message: "option syncInit is not for a mount with threads: its queues are registered when mount(2) has returned"
    })
  }
  if (blkdev === true && fsname === undefined)
    return new OptionError({ option: "blkdev", message: "option blkdev needs fsname, the block device" })
  if (blksize !== undefined && blkdev !== true)
    return new OptionError({ option: "blksize", message: "option blksize is for a blkdev mount" })
  return undefined
}

export const checkMountOptions = (options: MountOptions): OptionError | undefined => {
  const { session, ...own } = options
  return (
    check(own, mountChecks) ??
    conflict(options) ??
    (own.mountpoint === undefined
      ? new OptionError({ option: "mountpoint", message: "option mountpoint is missing" })
      : undefined) ??
    checkSource(own.backend) ??
    checkSessionOptions(session ?? {})
  )
}
