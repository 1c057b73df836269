/**
 * What callbacks may answer. TypeScript's callers are told by the types; of what else a callback in JavaScript answers,
 * the log gets a sentence, and the caller EIO.
 */
import { described, printable, slipOf } from "@bickford/protocol"
import { Errno } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { S_IFMT } from "../posix/linux.ts"
import { fileType, type PathAttributes, type PathCallbacks } from "./callbacks.ts"
import { andThen, outcome, type Outcome } from "./outcome.ts"

export interface Form {
  /** What a callback answers, in words. */
  readonly expected: string
  /** Says in words what is wrong with an answer; undefined when nothing is. `most` bytes were asked for, or given. */
  readonly fault: (answer: unknown, most: number) => string | undefined
}

const wrong = (callback: string, path: string | undefined, said: string, expected: string): Outcome<never> => {
  const of = path === undefined ? "a removed file" : printable(path)
  return Effect.andThen(
    Effect.logError(`the callback ${callback} for ${of} answered ${said}; expected: ${expected}. Its caller gets EIO.`),
    Errno.EIO
  )
}

/** Lets an answer of its form through. `path` is undefined for a removed file. */
export const checked = <A>(
  answer: Outcome<A>,
  callback: string,
  path: string | undefined,
  form: Form,
  most = 0
): Outcome<A> =>
  andThen(answer, (value): Outcome<A> => {
    const fault = form.fault(value, most)
    return fault === undefined ? Exit.succeed(value) : wrong(callback, path, fault, form.expected)
  })

/** More names than this are taken for an iterable without end. */
const mostNames = 1 << 24

const collected = (names: Iterable<string>): ReadonlyArray<string> => {
  const list: Array<string> = []
  for (const name of names) {
    if (list.length === mostNames) throw new TypeError(`more than ${mostNames} names`)
    list.push(name)
  }
  return list
}

/** Lists what a callback gave to be iterated over; what that throws is as if the callback had. */
export const listed = (
  answer: Outcome<Iterable<string>>,
  callback: string,
  path: string | undefined,
  form: Form
): Outcome<ReadonlyArray<string>> =>
  andThen(checked(answer, callback, path, iterable(form.expected)), (names) =>
    checked(
      outcome<ReadonlyArray<string>>(() => collected(names)),
      callback,
      path,
      form
    )
  )

const iterable = (expected: string): Form => ({
  expected,
  fault: (answer) =>
    typeof answer === "object" && answer !== null && Symbol.iterator in answer ? undefined : described(answer)
})

const each = (expected: string, isRight: (name: string) => boolean): Form => ({
  expected,
  fault: (answer) => {
    for (const name of Array.isArray(answer) ? (answer as ReadonlyArray<unknown>) : []) {
      if (typeof name !== "string" || !isRight(name)) return `${described(name)} among the names`
    }
    return undefined
  }
})

const isWhole = (value: unknown, below: number): boolean =>
  typeof value === "number"
    ? Number.isInteger(value) && value >= 0 && value < below
    : typeof value === "bigint" && value >= 0n && value < BigInt(below)

const isU32 = (value: unknown): boolean => typeof value === "number" && value >>> 0 === value
const isU64 = (value: unknown): boolean => isWhole(value, 2 ** 64)

const isTimespec = ({ nsec, sec }: { readonly sec?: unknown; readonly nsec?: unknown }): boolean => {
  const isSecond = typeof sec === "bigint" || (typeof sec === "number" && Number.isInteger(sec))
  return isSecond && typeof nsec === "number" && isWhole(nsec, 1e9)
}

const isTime = (value: unknown): boolean => {
  if (typeof value === "number") return Number.isFinite(value)
  if (value instanceof Date) return !Number.isNaN(value.getTime())
  return typeof value === "object" && value !== null && isTimespec(value)
}

const fileTypes: ReadonlySet<number> = new Set(Object.values(fileType))
const isMode = (value: unknown): boolean => typeof value === "number" && isU32(value) && fileTypes.has(value & S_IFMT)

type Fields = ReadonlyArray<readonly [name: string, isRight: (value: unknown) => boolean, expected: string]>

const number64 = "a whole number, not negative"
const number32 = "a whole number of 32 bits, not negative"
const time = "a Date, seconds, or { sec, nsec }"

/** All may be left out. */
const attributeFields: Fields = [
  ["size", isU64, number64],
  ["nlink", isU32, number32],
  ["uid", isU32, number32],
  ["gid", isU32, number32],
  ["ino", isU64, number64],
  ["rdev", isU32, number32],
  ["blocks", isU64, number64],
  ["atime", isTime, time],
  ["mtime", isTime, time],
  ["ctime", isTime, time]
]

type AttributesAnswer = { readonly [field in keyof PathAttributes]?: unknown }

const isLeftOut = (value: unknown): boolean => value === undefined

/**
 * Whether `fieldFault` finds nothing among the attributes. They are checked for every name of a listing, and properties that the code
 * names are read several times as fast as those of a table.
 */
const areRight = ({ atime, blocks, ctime, gid, ino, mtime, nlink, rdev, size, uid }: AttributesAnswer): boolean =>
  (isLeftOut(size) || isU64(size)) &&
  (isLeftOut(nlink) || isU32(nlink)) &&
  (isLeftOut(uid) || isU32(uid)) &&
  (isLeftOut(gid) || isU32(gid)) &&
  (isLeftOut(ino) || isU64(ino)) &&
  (isLeftOut(rdev) || isU32(rdev)) &&
  (isLeftOut(blocks) || isU64(blocks)) &&
  (isLeftOut(atime) || isTime(atime)) &&
  (isLeftOut(mtime) || isTime(mtime)) &&
  (isLeftOut(ctime) || isTime(ctime))

const attributesFault = (answer: AttributesAnswer): string | undefined => {
  const { mode } = answer
  if (mode === undefined) return "attributes without a mode"
  if (!isMode(mode)) return `mode as ${described(mode)}, in which there is no file's type`
  return areRight(answer) ? undefined : fieldFault(answer, attributeFields)
}

const statfsFields: Fields = [
  ["bsize", isU32, number32],
  ["blocks", isU64, number64],
  ["bfree", isU64, number64],
  ["bavail", isU64, number64],
  ["files", isU64, number64],
  ["ffree", isU64, number64],
  ["namelen", isU32, number32]
]

const fieldFault = (answer: object, fields: Fields): string | undefined => {
  for (const [name, isRight, expected] of fields) {
    const value: unknown = Reflect.get(answer, name)
    if (value !== undefined && !isRight(value)) return `${name} as ${described(value)}, which is not ${expected}`
  }
  return undefined
}

/** Bytes or text, as extended attributes have them. */
const data: Form = {
  expected: "a Uint8Array or a string",
  fault: (answer) => (typeof answer === "string" || answer instanceof Uint8Array ? undefined : described(answer))
}

const sizeFault = (answer: number, most: number): string | undefined =>
  isWhole(answer, most + 1) ? undefined : `${described(answer)}, where there are ${most} bytes`

/** The forms of answers that are more than a yes or a no. Any value but `false` is a yes. */
export const forms = {
  data,
  attributes: {
    expected:
      "an object with a mode that has the file's type and permissions, as { mode: fileType.reg | 0o644, size }; false for no such file",
    fault: (answer) =>
      typeof answer !== "object" || answer === null || Array.isArray(answer)
        ? described(answer)
        : attributesFault(answer)
  },
  read: {
    expected: "a Uint8Array, a string, or how many bytes of its buffer it filled",
    fault: (answer, most) => (typeof answer === "number" ? sizeFault(answer, most) : data.fault(answer, most))
  },
  write: {
    expected: "how many bytes were written, or undefined for all of them",
    fault: (answer, most) => {
      if (answer === undefined || answer === null || answer === true) return undefined
      return typeof answer === "number" ? sizeFault(answer, most) : described(answer)
    }
  },
  names: each(
    "the names in the directory, an array of strings without / and NUL",
    (name) => name !== "" && !/[/\0]/.test(name)
  ),
  attributeNames: each(
    "the attributes' names, an array of strings without NUL",
    (name) => name !== "" && !name.includes("\0")
  ),
  target: {
    expected: "the link's target, a string",
    fault: (answer) =>
      typeof answer === "string" && answer !== "" && !answer.includes("\0") ? undefined : described(answer)
  },
  offset: {
    expected: "an offset in bytes",
    fault: (answer) => (isWhole(answer, 2 ** 63) ? undefined : described(answer))
  },
  statfs: {
    expected: "an object of numbers, as { blocks, bfree, bavail }",
    fault: (answer) =>
      typeof answer === "object" && answer !== null ? fieldFault(answer, statfsFields) : described(answer)
  },
  ioctl: {
    expected: "a Uint8Array, or undefined for nothing",
    fault: (answer) =>
      answer === undefined || answer === null || answer === true || answer instanceof Uint8Array
        ? undefined
        : described(answer)
  }
} as const satisfies { readonly [callback: string]: Form }

const callbackNames: { readonly [name in keyof PathCallbacks]-?: true } = {
  getattr: true,
  readdir: true,
  open: true,
  read: true,
  write: true,
  truncate: true,
  fgetattr: true,
  ftruncate: true,
  fchmod: true,
  fchown: true,
  futimens: true,
  fgetxattr: true,
  fsetxattr: true,
  flistxattr: true,
  fremovexattr: true,
  reopen: true,
  create: true,
  mknod: true,
  mkdir: true,
  unlink: true,
  rmdir: true,
  rename: true,
  exchange: true,
  link: true,
  symlink: true,
  readlink: true,
  chmod: true,
  chown: true,
  utimens: true,
  access: true,
  fallocate: true,
  lseek: true,
  flush: true,
  fsync: true,
  release: true,
  statfs: true,
  getxattr: true,
  setxattr: true,
  listxattr: true,
  removexattr: true,
  ioctl: true,
  init: true,
  destroy: true
}

const known = Object.keys(callbackNames)

/** A name that is a slip away from a callback that is lacking. */
const misspelt = (callbacks: object): string | undefined => {
  const lacking = known.filter((name) => Reflect.get(callbacks, name) === undefined)
  for (const name of Object.keys(callbacks)) {
    const meant = known.includes(name) ? undefined : slipOf(name, lacking)
    if (meant !== undefined) return `there is no callback ${name}; did you mean ${meant}?`
  }
  return undefined
}

const callbackFault = (callbacks: unknown): string | undefined => {
  if (typeof callbacks !== "object" || callbacks === null)
    return `the callbacks are ${described(callbacks)}; expected: an object of functions, as { getattr, readdir, read }`
  const slip = misspelt(callbacks)
  if (slip !== undefined) return slip
  for (const name of known) {
    const value: unknown = Reflect.get(callbacks, name)
    if (typeof value !== "function" && (value !== undefined || name === "getattr"))
      return `${name} is ${described(value)}; expected: a function${name === "getattr" ? "" : ", or undefined"}`
  }
  return undefined
}

/** Throws when a callback is no function or is misspelt, or `getattr` is missing. What else an object has is its own business. */
export const checkCallbacks = (callbacks: object): void => {
  const fault = callbackFault(callbacks)
  if (fault !== undefined) throw new TypeError(`PathFilesystem.make: ${fault}`)
}
