/** Replies that carry attributes, a node or an open file: what the kernel keeps longest, and checks least. */
import { openReplyFlags, statMode, statxMasks } from "../constants.ts"
import {
  getAttrReply,
  getEntry,
  getOpen,
  getStatxReply,
  putAttrReply,
  putEntry,
  putOpen,
  putStatxReply
} from "../generated/records.ts"
import * as structs from "../generated/structs.ts"
import type { Negotiated } from "../init.ts"
import type {
  AttrReply,
  Created,
  Entry,
  LookupRequest,
  Open,
  Request,
  StatxReply,
  StatxRequest,
  U64
} from "../messages.ts"
import { normal } from "../arithmetic.ts"
import { refuse } from "../refusal.ts"
import type { ReplyCodec } from "./reply.ts"

// Copies, as generated/structs.ts asks for.
const attrOut = { ...structs.attrOut }
const entryOut = { ...structs.entryOut }
const openOut = { ...structs.openOut }
const attr = { ...structs.attr }
const { S_IFMT } = statMode

/** Bit (type >> 12) is set for the seven types of file (S_IFIFO, CHR, DIR, BLK, REG, LNK, SOCK). */
const typeBits = (1 << 1) | (1 << 2) | (1 << 4) | (1 << 6) | (1 << 8) | (1 << 10) | (1 << 12)

const largestSize = 0x7fff_ffff_ffff_ffffn

/** Refuses what the kernel's fuse_invalid_attr refuses, with the inode poisoned for it. */
const checkTypeAndSize = (mode: number, size: U64): void => {
  if (((typeBits >>> ((mode & S_IFMT) >>> 12)) & 1) === 0) refuse("EIO", `mode 0${mode.toString(8)} has no file type`)
  if (typeof size === "bigint" && size > largestSize) refuse("EIO", `size is ${size}, over 2^63-1`)
}

/** As `checkTypeAndSize`, of `struct fuse_attr` as it was written from word `first` on: the answer is read once. */
const checkWritten = (words: Uint32Array, first: number): void => {
  const mode = words[first + attr.mode / 4] ?? 0
  const sizeHigh = words[first + attr.size / 4 + 1] ?? 0
  if (((typeBits >>> ((mode & S_IFMT) >>> 12)) & 1) === 0 || sizeHigh > 0x7fff_ffff)
    checkTypeAndSize(mode, joined(words[first + attr.size / 4] ?? 0, sizeHigh))
}

/** A number of 64 bits in two words. */
const joined = (low: number, high: number): U64 => (high === 0 ? low : normal((BigInt(high) << 32n) | BigInt(low)))

/** The node id of an entry that was written. */
export const writtenNodeid = (words: Uint32Array, at: number): U64 =>
  joined(words[at >> 2] ?? 0, words[(at >> 2) + 1] ?? 0)

/** Where an entry stands: only some places may name no node, or the root. */
export type EntryPlace = "lookup" | "dots" | "new" | "listed"

/** Writes an entry. True when the kernel counts a lookup for it. */
export const placeEntry = (words: Uint32Array, at: number, entry: Entry, place: EntryPlace): boolean => {
  putEntry(words, at, entry)
  const first = at >> 2
  const low = words[first] ?? 0
  if (words[first + 1] === 0 && low <= 1) {
    if (low === 0) return place === "new" ? refuse("EIO", "a new file has node id 0") : false
    if (place !== "dots") refuse("EIO", "node id 1 is the root's, not a child's")
  }
  checkWritten(words, first + entryOut.attr / 4)
  return true
}

/** LOOKUP: the only entry that may name no node. */
export const found: ReplyCodec<LookupRequest, Entry> = {
  size: entryOut.bytes,
  write: (entry, request, { words }, at, _room, count) => {
    const { name } = request
    if (placeEntry(words, at, entry, name === "." || name === ".." ? "dots" : "lookup")) count(writtenNodeid(words, at))
    return entryOut.bytes
  },
  read: (cursor) => getEntry(cursor.view, cursor.take(entryOut.bytes, "entry_out"))
}

/** A name's new node. */
export const newEntry: ReplyCodec<Request, Entry> = {
  size: entryOut.bytes,
  write: (entry, _request, { words }, at, _room, count) => {
    placeEntry(words, at, entry, "new")
    count(writtenNodeid(words, at))
    return entryOut.bytes
  },
  read: (cursor) => getEntry(cursor.view, cursor.take(entryOut.bytes, "entry_out"))
}

export const attributes: ReplyCodec<Request, AttrReply> = {
  size: attrOut.bytes,
  write: (value, _request, { words }, at) => {
    putAttrReply(words, at, value)
    checkWritten(words, (at + attrOut.attr) >> 2)
    return attrOut.bytes
  },
  read: (cursor) => getAttrReply(cursor.view, cursor.take(attrOut.bytes, "attr_out"))
}

export const extendedAttributes: ReplyCodec<StatxRequest, StatxReply> = {
  size: structs.statxOut.bytes,
  write: (value, _request, { view }, at) => {
    const { mask, mode, size } = value.stat
    if ((mask & statxMasks.STATX_TYPE) !== 0) checkTypeAndSize(mode, size)
    putStatxReply(view, at, value)
    return structs.statxOut.bytes
  },
  read: (cursor) => getStatxReply(cursor.view, cursor.take(structs.statxOut.bytes, "statx_out"))
}

/** Checks `struct fuse_open_out` as it was written at `at`. */
const checkOpen = (words: Uint32Array, at: number, negotiated: Negotiated | undefined): void => {
  const first = at >> 2
  if (((words[first + openOut.openFlags / 4] ?? 0) & openReplyFlags.FOPEN_PASSTHROUGH) === 0) return
  if (negotiated?.passthrough === false) refuse("EIO", "FOPEN_PASSTHROUGH was not agreed on")
  if (((words[first + openOut.backingId / 4] ?? 0) | 0) <= 0) refuse("EIO", "FOPEN_PASSTHROUGH needs a backing id")
}

export const opened: ReplyCodec<Request, Open> = {
  size: openOut.bytes,
  write: (open, _request, { view, words }, at, _room, _count, negotiated) => {
    putOpen(view, at, open)
    checkOpen(words, at, negotiated)
    return openOut.bytes
  },
  read: (cursor) => getOpen(cursor.view, cursor.take(openOut.bytes, "open_out"))
}

/** CREATE, TMPFILE: the entry, then its open. */
export const created: ReplyCodec<Request, Created> = {
  size: entryOut.bytes + openOut.bytes,
  write: (value, _request, { view, words }, at, _room, count, negotiated) => {
    placeEntry(words, at, value.entry, "new")
    putOpen(view, at + entryOut.bytes, value.open)
    checkOpen(words, at + entryOut.bytes, negotiated)
    count(writtenNodeid(words, at))
    return entryOut.bytes + openOut.bytes
  },
  read: (cursor) => {
    const at = cursor.take(entryOut.bytes + openOut.bytes, "entry_out")
    return { entry: getEntry(cursor.view, at), open: getOpen(cursor.view, at + entryOut.bytes) }
  }
}
