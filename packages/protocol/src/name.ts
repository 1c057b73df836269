/** File names between bytes and `Name`: a string iff the bytes are UTF-8. */
import type { Name } from "./messages.ts"
import { refuse } from "./refusal.ts"

// A byte order mark is part of a name, so it must not be swallowed.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const slash = 0x2f

/** Longest name in a directory listing that every kernel takes (FUSE_NAME_LOW_MAX). */
export const longestName = 1024
/** Longest symlink target (PATH_MAX without its NUL). */
export const longestTarget = 4095

const decodeUtf8 = (bytes: Uint8Array): Name => {
  try {
    return utf8.decode(bytes)
  } catch {
    return bytes.slice()
  }
}

/** The name that the bytes from `start` to `end` are: a string iff they are valid UTF-8, else a copy of them. Checks nothing else. */
export const nameFromBytes = (bytes: Uint8Array, start = 0, end = bytes.length): Name => {
  let ascii = 0
  for (let at = start; at < end; at++) ascii |= bytes[at] ?? 0
  return ascii < 0x80 ? asciiString(bytes, start, end) : decodeUtf8(bytes.subarray(start, end))
}

declare global {
  interface Buffer {
    // Node's own, absent from its types; works on any Uint8Array, and is faster than any decoder.
    latin1Slice(this: Uint8Array, start: number, end: number): string
  }
}
const { latin1Slice } = Buffer.prototype

/** Up to so many characters a string is made faster without leaving JavaScript. */
const short = 16
/** Room for the characters of a name, by its length. */
const characters = Array.from({ length: short + 1 }, (_, length) => Array.from({ length }, () => 0))

const asciiString = (bytes: Uint8Array, start: number, end: number): string => {
  const codes = characters[end - start]
  if (codes === undefined) return latin1Slice.call(bytes, start, end)
  for (let index = 0; index < codes.length; index++) codes[index] = bytes[start + index] ?? 0
  return String.fromCharCode(...codes)
}

/**
 * Names met lately, by their hash: most are met again and again, and a string that is there already costs
 * neither its making nor, where it is looked up, its hashing.
 */
const recent: Array<string | undefined> = Array.from({ length: 4096 }, () => undefined)
/** Their whole hashes: another name in the same place is seldom read to find out. */
const hashes = new Int32Array(recent.length)
const longestRecent = 64

const isSpelled = (name: string, bytes: Uint8Array, start: number): boolean => {
  for (let index = 0; index < name.length; index++) if (name.charCodeAt(index) !== bytes[start + index]) return false
  return true
}

/** Undefined when it is empty or holds a NUL or `/`. */
export const readName = (bytes: Uint8Array, start: number, end: number): Name | undefined => {
  if (start >= end) return undefined
  let seen = 0
  let hash = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0
    if (byte === 0 || byte === slash) return undefined
    seen |= byte
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  if (seen >= 0x80) return decodeUtf8(bytes.subarray(start, end))
  if (end - start > longestRecent) return asciiString(bytes, start, end)
  const place = (hash ^ (hash >>> 12)) & (recent.length - 1)
  const known = hashes[place] === hash ? recent[place] : undefined
  if (known !== undefined && known.length === end - start && isSpelled(known, bytes, start)) return known
  hashes[place] = hash
  return (recent[place] = asciiString(bytes, start, end))
}

/** As `readName`, with `/` allowed: a symlink's target, TMPFILE's placeholder. */
export const readPath = (bytes: Uint8Array, start: number, end: number): Name | undefined => {
  if (start >= end) return undefined
  for (let at = start; at < end; at++) if (bytes[at] === 0) return undefined
  return nameFromBytes(bytes, start, end)
}

/** Offset of the first NUL from `start` on, or -1. */
export const findNul = (bytes: Uint8Array, start: number, end: number): number => {
  for (let at = start; at < end; at++) if (bytes[at] === 0) return at
  return -1
}

/**
 * The length of a string name that is all ASCII; -1 for other strings and for bytes, which `nameBytes` takes.
 * Refuses NUL and `/`.
 */
export const asciiLength = (name: Name): number => {
  if (typeof name !== "string") return -1
  const length = name.length
  for (let index = 0; index < length; index++) {
    const code = name.charCodeAt(index)
    if (code >= 0x80) return -1
    if (code === 0 || code === slash)
      refuse("EIO", `a name holds ${code === 0 ? "a NUL" : "a slash"}: ${JSON.stringify(name)}`)
  }
  return length
}

/** Copies a name that `asciiLength` has measured. */
export const putAscii = (bytes: Uint8Array, at: number, name: Name): void => {
  if (typeof name !== "string") return
  for (let index = 0; index < name.length; index++) bytes[at + index] = name.charCodeAt(index)
}

/** A text's UTF-8. A call of TextEncoder takes ten times as long as either way here (a microsecond). */
const utf8Bytes = (text: string): Uint8Array => {
  if (text.length > short) return Buffer.from(text)
  const bytes = new Uint8Array(text.length)
  for (let index = 0; index < bytes.length; index++) {
    const code = text.charCodeAt(index)
    if (code >= 0x80) return Buffer.from(text)
    bytes[index] = code
  }
  return bytes
}

/** A path's bytes: `/` allowed. Refuses what is empty, holds a NUL or a lone surrogate (EILSEQ). */
export const pathBytes = (path: Name, what: string): Uint8Array => {
  let bytes: Uint8Array
  if (typeof path === "string") {
    if (!path.isWellFormed()) refuse("EILSEQ", `${what} has a lone surrogate: ${JSON.stringify(path)}`)
    bytes = utf8Bytes(path)
  } else if (path instanceof Uint8Array) bytes = path
  else refuse("EIO", `${what} is neither a string nor bytes`)
  if (bytes.length === 0) refuse("EIO", `${what} is empty`)
  if (bytes.includes(0)) refuse("EIO", `${what} holds a NUL`)
  return bytes
}

/** A name's bytes. Refuses, beyond what `pathBytes` does, `/` and more than 1024 bytes. */
export const nameBytes = (name: Name, what = "a name"): Uint8Array => {
  const bytes = pathBytes(name, what)
  if (bytes.includes(slash)) refuse("EIO", `${what} holds a slash`)
  if (bytes.length > longestName) refuse("ENAMETOOLONG", `${what} has ${bytes.length} bytes`)
  return bytes
}

/** The bytes of a name that is known to be one; `nameBytes` checks. */
export const nameToBytes = (name: Name): Uint8Array => (typeof name === "string" ? utf8Bytes(name) : name)

/** Length in bytes. */
export const nameLength = (name: Name): number => (typeof name === "string" ? Buffer.byteLength(name) : name.length)

/** True when a name has more than `most` bytes. */
export const isLongerThan = (name: Name, most: number): boolean =>
  // A UTF-16 unit is three bytes of UTF-8 at the most.
  name.length > most || (name.length * 3 > most && nameLength(name) > most)

// No valid UTF-8 decodes to a lone surrogate, so no string name begins with one.
const notUtf8 = "\ud800"

/** One string for each name, for maps: the name itself, or a form of its bytes that no valid name has. */
export const nameKey = (name: Name): string =>
  typeof name === "string" ? name : notUtf8 + latin1Slice.call(name, 0, name.length)

/** A name to keep beyond its request: bytes may be a view of memory that is used again. */
export const ownName = (name: Name): Name => (typeof name === "string" ? name : new Uint8Array(name))
