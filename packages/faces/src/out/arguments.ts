/** What Node's calls are given, as the filesystem's calls take it. */
import { openFlags, type Timespec } from "@bickford/protocol"
import { constants } from "node:fs"
import { fileURLToPath } from "node:url"

/** A path as Node takes it: text, bytes of UTF-8, or a `file:` URL. */
export type PathLike = string | Uint8Array | URL

/** A time as Node takes it: seconds since the epoch, or a date. */
export type TimeLike = number | string | Date

/** The encoding that an argument asks for, if any. */
export type EncodingOptions =
  | BufferEncoding
  | "buffer"
  | { readonly encoding?: BufferEncoding | "buffer" | null | undefined }
  | null
  | undefined

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = openFlags

/** The path within the filesystem; a relative one begins at its root. Throws Node's error for a NUL in it. */
export const pathOf = (path: PathLike): string => {
  const text =
    path instanceof URL ? fileURLToPath(path) : typeof path === "string" ? path : Buffer.from(path).toString()
  if (text.includes("\0")) {
    const message = "The argument 'path' must be a string, Uint8Array, or URL without null bytes"
    throw Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_VALUE" })
  }
  return text
}

/** The encoding asked for; undefined: bytes. */
export const encodingOf = (options: EncodingOptions): BufferEncoding | undefined => {
  const encoding = typeof options === "string" ? options : options?.encoding
  return encoding === null || encoding === undefined || encoding === "buffer" ? undefined : encoding
}

/** Bytes of what is to be written. */
export const bytesOf = (data: string | Uint8Array, encoding?: BufferEncoding): Uint8Array =>
  typeof data === "string" ? Buffer.from(data, encoding) : data

const flagsByName: { readonly [name: string]: number } = {
  r: O_RDONLY,
  rs: O_RDONLY,
  "r+": O_RDWR,
  "rs+": O_RDWR,
  w: O_WRONLY | O_CREAT | O_TRUNC,
  wx: O_WRONLY | O_CREAT | O_TRUNC | O_EXCL,
  "w+": O_RDWR | O_CREAT | O_TRUNC,
  "wx+": O_RDWR | O_CREAT | O_TRUNC | O_EXCL,
  a: O_WRONLY | O_CREAT | O_APPEND,
  ax: O_WRONLY | O_CREAT | O_APPEND | O_EXCL,
  as: O_WRONLY | O_CREAT | O_APPEND,
  "a+": O_RDWR | O_CREAT | O_APPEND,
  "ax+": O_RDWR | O_CREAT | O_APPEND | O_EXCL,
  "as+": O_RDWR | O_CREAT | O_APPEND
}

/** open(2)'s flags of Node's (`"r+"`, or a number). Throws Node's error for others. */
export const flagsOf = (flags: string | number): number => {
  if (typeof flags === "number") return flags
  const known = Object.hasOwn(flagsByName, flags) ? flagsByName[flags] : undefined
  if (known !== undefined) return known
  const message = `The argument 'flags' is invalid. Received '${flags}'`
  throw Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_VALUE" })
}

/** Permissions as Node takes them: a number, or octal text. */
export const modeOf = (mode: number | string): number => (typeof mode === "number" ? mode : Number.parseInt(mode, 8))

/** A time of Node's, to the nanosecond below what a number holds. */
export const timeOf = (time: TimeLike): Timespec => {
  const milliseconds = time instanceof Date ? time.getTime() : Number(time) * 1000
  const sec = Math.floor(milliseconds / 1000)
  return { sec, nsec: Math.min(999_999_999, Math.round((milliseconds - sec * 1000) * 1e6)) }
}

/** COPYFILE_EXCL of `copyFile`. */
export const copyExclusively = constants.COPYFILE_EXCL
