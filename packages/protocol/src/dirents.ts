/**
 * Directory listings: records of 24 bytes (152 with attributes) and a name, padded to a multiple of 8.
 * A listing that ends is one with no record left; `off` is the cookie to go on from after the record.
 */
import { getEntry } from "./generated/records.ts"
import type { Cursor } from "./cursor.ts"
import { type Memory } from "./frame.ts"
import type { Dirent, DirentPlus, Name, U64 } from "./messages.ts"
import { asciiLength, longestName, nameBytes, putAscii } from "./name.ts"
import { refuse } from "./refusal.ts"
import { placeEntry, writtenNodeid } from "./replies/entries.ts"
import * as structs from "./generated/structs.ts"
import { getU64, putU64 } from "./u64.ts"

// Copies, as generated/structs.ts asks for.
const D = { ...structs.dirent }
const { direntplus: P, entryOut } = structs

const aligned = (size: number): number => (size + 7) & ~7

/** Bytes that an entry takes with a name of `nameLength` bytes. */
export const direntSize = (nameLength: number): number => aligned(D.bytes + nameLength)
/** As `direntSize`, for READDIRPLUS. */
export const direntplusSize = (nameLength: number): number => aligned(P.bytes + nameLength)

const isDots = (name: Name): boolean => name === "." || name === ".."

/** A backend's objects are read once, so that what is written is what was checked: `name` is that of `dirent`. */
const put = (
  { bytes, words }: Memory,
  at: number,
  limit: number,
  dirent: Dirent,
  name: Name,
  prefix: number
): number => {
  const { type } = dirent
  let length = asciiLength(name)
  const encoded = length < 0 ? nameBytes(name) : undefined
  if (encoded !== undefined) length = encoded.length
  if (length === 0) refuse("EIO", "a name is empty")
  if (length > longestName) refuse("ENAMETOOLONG", `a name has ${length} bytes`)
  const size = aligned(prefix + D.bytes + length)
  if (at + size > limit) return size
  const record = at + prefix
  const first = record >> 2
  putU64(words, first + D.ino / 4, dirent.ino, "ino")
  putU64(words, first + D.off / 4, dirent.off, "off")
  words[first + D.namelen / 4] = length
  if ((type & 15) !== type) refuse("EIO", `type ${String(type)} is not a DT_* value`)
  words[first + D.type / 4] = type
  if (encoded === undefined) putAscii(bytes, record + D.name, name)
  else bytes.set(encoded, record + D.name)
  for (let zero = record + D.name + length; zero < at + size; zero++) bytes[zero] = 0
  return size
}

/** Writes one entry at `at` if it ends by `limit`. Returns the space it needs either way, in bytes. */
export const addDirent = (memory: Memory, at: number, limit: number, dirent: Dirent): number =>
  put(memory, at, limit, dirent, dirent.name, 0)

/** As `addDirent`, for READDIRPLUS; `count` gets the node id when the kernel will count a lookup for it. */
export const addDirentplus = (
  memory: Memory,
  at: number,
  limit: number,
  dirent: DirentPlus,
  count: (nodeid: U64) => void
): number => {
  const { entry, name } = dirent
  const size = put(memory, at, limit, dirent, name, entryOut.bytes)
  if (at + size > limit) return size
  if (entry === undefined) memory.bytes.fill(0, at, at + entryOut.bytes)
  else {
    const dots = isDots(name)
    // The kernel skips `.` and `..` of a listing, whatever they carry.
    if (placeEntry(memory.words, at, entry, dots ? "dots" : "listed") && !dots) count(writtenNodeid(memory.words, at))
  }
  return size
}

const tooSmall = (size: number, room: number): never =>
  refuse("EINVAL", `the first entry takes ${size} bytes, ${room} are there`)

/** Packs entries up to the first that does not fit; returns the listing's length in bytes. */
export const packDirents = (memory: Memory, offset: number, room: number, dirents: Iterable<Dirent>): number => {
  const limit = offset + room
  let at = offset
  for (const dirent of dirents) {
    const size = addDirent(memory, at, limit, dirent)
    if (at + size > limit) return at === offset ? tooSmall(size, room) : at - offset
    at += size
  }
  return at - offset
}

/** As `packDirents`, for READDIRPLUS. */
export const packDirentplus = (
  memory: Memory,
  offset: number,
  room: number,
  dirents: Iterable<DirentPlus>,
  count: (nodeid: U64) => void
): number => {
  const limit = offset + room
  let at = offset
  for (const dirent of dirents) {
    const size = addDirentplus(memory, at, limit, dirent, count)
    if (at + size > limit) return at === offset ? tooSmall(size, room) : at - offset
    at += size
  }
  return at - offset
}

const readDirent = (cursor: Cursor): Dirent => {
  const at = cursor.take(D.bytes, "dirent")
  const { view } = cursor
  return {
    ino: getU64(view, at + D.ino),
    off: getU64(view, at + D.off),
    type: view.getUint32(at + D.type, true),
    name: cursor.name(view.getUint32(at + D.namelen, true), "name")
  }
}

/** Past the padding; the last record's may be missing, as the kernel takes that too. */
const skipPadding = (cursor: Cursor, start: number): void => {
  cursor.at = Math.min(cursor.end, start + aligned(cursor.at - start))
}

export const readDirents = (cursor: Cursor): ReadonlyArray<Dirent> => {
  const dirents: Array<Dirent> = []
  while (cursor.left > 0) {
    const start = cursor.at
    dirents.push(readDirent(cursor))
    skipPadding(cursor, start)
  }
  return dirents
}

export const readDirentplus = (cursor: Cursor): ReadonlyArray<DirentPlus> => {
  const dirents: Array<DirentPlus> = []
  while (cursor.left > 0) {
    const start = cursor.take(entryOut.bytes, "entry")
    const nodeid = getU64(cursor.view, start)
    dirents.push({ ...readDirent(cursor), entry: nodeid === 0 ? undefined : getEntry(cursor.view, start) })
    skipPadding(cursor, start)
  }
  return dirents
}
