/** Attributes, entries and times: what most replies are made of. */
import { statMode } from "./constants.ts"
import type { Attr, AttrReply, Created, Entry, FileLock, Open, Statfs, Statx, StatxReply, Timespec, U64 } from "./messages.ts"
import { refuse } from "./refusal.ts"
import * as structs from "./generated/structs.ts"
import { checkU32, getS64, getU64, putS64, putU64, setS32, setS64, setU16, setU32, setU64 } from "./u64.ts"

// Copies, as generated/structs.ts asks for.
const A = { ...structs.attr }
const attrOut = { ...structs.attrOut }
const entryOut = { ...structs.entryOut }
const openOut = { ...structs.openOut }
const { fileLock, kstatfs, statx: X, statxOut, sxTime } = structs

const { S_IFMT } = statMode

/** Bit (type >> 12) is set for the seven types of file (S_IFIFO, CHR, DIR, BLK, REG, LNK, SOCK). */
const typeBits = (1 << 1) | (1 << 2) | (1 << 4) | (1 << 6) | (1 << 8) | (1 << 10) | (1 << 12)

const largestSize = 0x7fff_ffff_ffff_ffffn

/** What the kernel's fuse_invalid_attr refuses, with the inode poisoned for it. */
const checkTypeAndSize = (mode: number, size: U64): void => {
  if (((typeBits >>> ((mode & S_IFMT) >>> 12)) & 1) === 0) refuse("EIO", `mode 0${mode.toString(8)} has no file type`)
  if (typeof size === "bigint" && size > largestSize) refuse("EIO", `size is ${size}, over 2^63-1`)
}

// NaN and fractions fail the first test: `>>> 0` changes them.
const isNoNsec = (nsec: number): boolean => nsec >>> 0 !== nsec || nsec > 999_999_999

const checkNsec = (nsec: number, field: string): void => {
  if (isNoNsec(nsec)) refuse("EIO", `${field} has ${String(nsec)} nanoseconds`)
}

const putNsec = (words: Uint32Array, index: number, nsec: number, field: string): void => {
  checkNsec(nsec, field)
  words[index] = nsec
}

const setNsec = (view: DataView, at: number, nsec: number, field: string): void => {
  checkNsec(nsec, field)
  view.setUint32(at, nsec, true)
}

const timespec = (view: DataView, sec: number, nsec: number): Timespec => ({ sec: getS64(view, sec), nsec: view.getUint32(nsec, true) })
/** A duration: never negative. */
const duration = (view: DataView, sec: number, nsec: number): Timespec => ({ sec: getU64(view, sec), nsec: view.getUint32(nsec, true) })

const words = ["mode", "nlink", "uid", "gid", "rdev", "blksize", "flags"] as const

/** Says which field of attributes does not fit. */
const refuseAttr = (attr: Attr): never => {
  for (const field of ["atime", "mtime", "ctime"] as const) checkNsec(attr[field].nsec, field)
  for (const field of words) checkU32(attr[field], field)
  return refuse("EIO", "the attributes changed while they were read")
}

/**
 * `struct fuse_attr`, unchecked but for its numbers' ranges; `at` is a whole word's. What nearly every reply has in it: one look at
 * all the words, and then they are stored, is half the time of one after the other.
 */
const putAttr = (words: Uint32Array, at: number, attr: Attr): void => {
  const { atime, blksize, ctime, flags, gid, mode, mtime, nlink, rdev, uid } = attr
  const atimensec = atime.nsec
  const mtimensec = mtime.nsec
  const ctimensec = ctime.nsec
  if (
    mode >>> 0 !== mode || nlink >>> 0 !== nlink || uid >>> 0 !== uid || gid >>> 0 !== gid || rdev >>> 0 !== rdev ||
    blksize >>> 0 !== blksize || flags >>> 0 !== flags || isNoNsec(atimensec) || isNoNsec(mtimensec) || isNoNsec(ctimensec)
  ) refuseAttr(attr)
  const first = at >> 2
  putU64(words, first + A.ino / 4, attr.ino, "ino")
  putU64(words, first + A.size / 4, attr.size, "size")
  putU64(words, first + A.blocks / 4, attr.blocks, "blocks")
  putS64(words, first + A.atime / 4, atime.sec, "atime")
  putS64(words, first + A.mtime / 4, mtime.sec, "mtime")
  putS64(words, first + A.ctime / 4, ctime.sec, "ctime")
  words[first + A.atimensec / 4] = atimensec
  words[first + A.mtimensec / 4] = mtimensec
  words[first + A.ctimensec / 4] = ctimensec
  words[first + A.mode / 4] = mode
  words[first + A.nlink / 4] = nlink
  words[first + A.uid / 4] = uid
  words[first + A.gid / 4] = gid
  words[first + A.rdev / 4] = rdev
  words[first + A.blksize / 4] = blksize
  words[first + A.flags / 4] = flags
}

const getAttr = (view: DataView, at: number): Attr => ({
  ino: getU64(view, at + A.ino),
  size: getU64(view, at + A.size),
  blocks: getU64(view, at + A.blocks),
  atime: timespec(view, at + A.atime, at + A.atimensec),
  mtime: timespec(view, at + A.mtime, at + A.mtimensec),
  ctime: timespec(view, at + A.ctime, at + A.ctimensec),
  mode: view.getUint32(at + A.mode, true),
  nlink: view.getUint32(at + A.nlink, true),
  uid: view.getUint32(at + A.uid, true),
  gid: view.getUint32(at + A.gid, true),
  rdev: view.getUint32(at + A.rdev, true),
  blksize: view.getUint32(at + A.blksize, true),
  flags: view.getUint32(at + A.flags, true)
})

export const putAttrReply = (words: Uint32Array, at: number, reply: AttrReply): number => {
  const first = at >> 2
  putU64(words, first + attrOut.attrValid / 4, reply.attrValid.sec, "attr_valid")
  putNsec(words, first + attrOut.attrValidNsec / 4, reply.attrValid.nsec, "attr_valid")
  words[first + attrOut.dummy / 4] = 0
  checkTypeAndSize(reply.attr.mode, reply.attr.size)
  putAttr(words, at + attrOut.attr, reply.attr)
  return attrOut.bytes
}

export const getAttrReply = (view: DataView, at: number): AttrReply => ({
  attrValid: duration(view, at + attrOut.attrValid, at + attrOut.attrValidNsec),
  attr: getAttr(view, at + attrOut.attr)
})

const isNone = (nodeid: U64): boolean => typeof nodeid === "number" ? nodeid === 0 : nodeid === 0n
const isRoot = (nodeid: U64): boolean => typeof nodeid === "number" ? nodeid === 1 : nodeid === 1n

/** Where an entry stands: only some places may name no node, or the root. */
export type EntryPlace = "lookup" | "dots" | "new" | "listed"

/** `struct fuse_entry_out`. True when the kernel counts a lookup for it. */
export const putEntry = (words: Uint32Array, at: number, entry: Entry, place: EntryPlace): boolean => {
  const { nodeid } = entry
  const none = isNone(nodeid)
  if (none) {
    if (place === "new") refuse("EIO", "a new file has node id 0")
  } else {
    if (isRoot(nodeid) && place !== "dots") refuse("EIO", "node id 1 is the root's, not a child's")
    checkTypeAndSize(entry.attr.mode, entry.attr.size)
  }
  const first = at >> 2
  putU64(words, first + entryOut.nodeid / 4, nodeid, "nodeid")
  putU64(words, first + entryOut.generation / 4, entry.generation, "generation")
  putU64(words, first + entryOut.entryValid / 4, entry.entryValid.sec, "entry_valid")
  putU64(words, first + entryOut.attrValid / 4, entry.attrValid.sec, "attr_valid")
  putNsec(words, first + entryOut.entryValidNsec / 4, entry.entryValid.nsec, "entry_valid")
  putNsec(words, first + entryOut.attrValidNsec / 4, entry.attrValid.nsec, "attr_valid")
  putAttr(words, at + entryOut.attr, entry.attr)
  return !none
}

export const getEntry = (view: DataView, at: number): Entry => ({
  nodeid: getU64(view, at + entryOut.nodeid),
  generation: getU64(view, at + entryOut.generation),
  entryValid: duration(view, at + entryOut.entryValid, at + entryOut.entryValidNsec),
  attrValid: duration(view, at + entryOut.attrValid, at + entryOut.attrValidNsec),
  attr: getAttr(view, at + entryOut.attr)
})

export const putOpen = (view: DataView, at: number, open: Open): number => {
  setU64(view, at + openOut.fh, open.fh, "fh")
  setU32(view, at + openOut.openFlags, open.openFlags, "open_flags")
  setS32(view, at + openOut.backingId, open.backingId ?? 0, "backing_id")
  return openOut.bytes
}

export const getOpen = (view: DataView, at: number): Open => {
  const fh = getU64(view, at + openOut.fh)
  const openFlags = view.getUint32(at + openOut.openFlags, true)
  const backingId = view.getInt32(at + openOut.backingId, true)
  return backingId === 0 ? { fh, openFlags } : { fh, openFlags, backingId }
}

export const getCreated = (view: DataView, at: number): Created => ({
  entry: getEntry(view, at),
  open: getOpen(view, at + entryOut.bytes)
})

export const putLock = (view: DataView, at: number, lock: FileLock): void => {
  setU64(view, at + fileLock.start, lock.start, "start")
  setU64(view, at + fileLock.end, lock.end, "end")
  setU32(view, at + fileLock.type, lock.type, "type")
  setU32(view, at + fileLock.pid, lock.pid, "pid")
}

export const getLock = (view: DataView, at: number): FileLock => ({
  start: getU64(view, at + fileLock.start),
  end: getU64(view, at + fileLock.end),
  type: view.getUint32(at + fileLock.type, true),
  pid: view.getUint32(at + fileLock.pid, true)
})

export const putStatfs = (view: DataView, at: number, st: Statfs): number => {
  setU64(view, at + kstatfs.blocks, st.blocks, "blocks")
  setU64(view, at + kstatfs.bfree, st.bfree, "bfree")
  setU64(view, at + kstatfs.bavail, st.bavail, "bavail")
  setU64(view, at + kstatfs.files, st.files, "files")
  setU64(view, at + kstatfs.ffree, st.ffree, "ffree")
  setU32(view, at + kstatfs.bsize, st.bsize, "bsize")
  setU32(view, at + kstatfs.namelen, st.namelen, "namelen")
  setU32(view, at + kstatfs.frsize, st.frsize, "frsize")
  for (let zero = at + kstatfs.padding; zero < at + kstatfs.bytes; zero += 4) view.setUint32(zero, 0, true)
  return kstatfs.bytes
}

export const getStatfs = (view: DataView, at: number): Statfs => ({
  blocks: getU64(view, at + kstatfs.blocks),
  bfree: getU64(view, at + kstatfs.bfree),
  bavail: getU64(view, at + kstatfs.bavail),
  files: getU64(view, at + kstatfs.files),
  ffree: getU64(view, at + kstatfs.ffree),
  bsize: view.getUint32(at + kstatfs.bsize, true),
  namelen: view.getUint32(at + kstatfs.namelen, true),
  frsize: view.getUint32(at + kstatfs.frsize, true)
})

const putSxTime = (view: DataView, at: number, time: Timespec, field: string): void => {
  setS64(view, at + sxTime.tvSec, time.sec, field)
  setNsec(view, at + sxTime.tvNsec, time.nsec, field)
  view.setUint32(at + sxTime.reserved, 0, true)
}

const statxType = 0x1

export const putStatx = (view: DataView, at: number, reply: StatxReply): number => {
  setU64(view, at + statxOut.attrValid, reply.attrValid.sec, "attr_valid")
  setNsec(view, at + statxOut.attrValidNsec, reply.attrValid.nsec, "attr_valid")
  setU32(view, at + statxOut.flags, reply.flags, "flags")
  for (let zero = at + statxOut.spare; zero < at + statxOut.stat; zero += 4) view.setUint32(zero, 0, true)
  const { stat } = reply
  const to = at + statxOut.stat
  if ((stat.mask & statxType) !== 0) checkTypeAndSize(stat.mode, stat.size)
  setU32(view, to + X.mask, stat.mask, "mask")
  setU32(view, to + X.blksize, stat.blksize, "blksize")
  setU64(view, to + X.attributes, stat.attributes, "attributes")
  setU32(view, to + X.nlink, stat.nlink, "nlink")
  setU32(view, to + X.uid, stat.uid, "uid")
  setU32(view, to + X.gid, stat.gid, "gid")
  setU16(view, to + X.mode, stat.mode, "mode")
  view.setUint16(to + X.spare0, 0, true)
  setU64(view, to + X.ino, stat.ino, "ino")
  setU64(view, to + X.size, stat.size, "size")
  setU64(view, to + X.blocks, stat.blocks, "blocks")
  setU64(view, to + X.attributesMask, stat.attributesMask, "attributes_mask")
  putSxTime(view, to + X.atime, stat.atime, "atime")
  putSxTime(view, to + X.btime, stat.btime, "btime")
  putSxTime(view, to + X.ctime, stat.ctime, "ctime")
  putSxTime(view, to + X.mtime, stat.mtime, "mtime")
  setU32(view, to + X.rdevMajor, stat.rdevMajor, "rdev_major")
  setU32(view, to + X.rdevMinor, stat.rdevMinor, "rdev_minor")
  setU32(view, to + X.devMajor, stat.devMajor, "dev_major")
  setU32(view, to + X.devMinor, stat.devMinor, "dev_minor")
  for (let zero = to + X.spare2; zero < to + X.bytes; zero += 4) view.setUint32(zero, 0, true)
  return statxOut.bytes
}

const sxTimeOf = (view: DataView, at: number): Timespec => timespec(view, at + sxTime.tvSec, at + sxTime.tvNsec)

const getSx = (view: DataView, at: number): Statx => ({
  mask: view.getUint32(at + X.mask, true),
  blksize: view.getUint32(at + X.blksize, true),
  attributes: getU64(view, at + X.attributes),
  nlink: view.getUint32(at + X.nlink, true),
  uid: view.getUint32(at + X.uid, true),
  gid: view.getUint32(at + X.gid, true),
  mode: view.getUint16(at + X.mode, true),
  ino: getU64(view, at + X.ino),
  size: getU64(view, at + X.size),
  blocks: getU64(view, at + X.blocks),
  attributesMask: getU64(view, at + X.attributesMask),
  atime: sxTimeOf(view, at + X.atime),
  btime: sxTimeOf(view, at + X.btime),
  ctime: sxTimeOf(view, at + X.ctime),
  mtime: sxTimeOf(view, at + X.mtime),
  rdevMajor: view.getUint32(at + X.rdevMajor, true),
  rdevMinor: view.getUint32(at + X.rdevMinor, true),
  devMajor: view.getUint32(at + X.devMajor, true),
  devMinor: view.getUint32(at + X.devMinor, true)
})

export const getStatx = (view: DataView, at: number): StatxReply => ({
  attrValid: duration(view, at + statxOut.attrValid, at + statxOut.attrValidNsec),
  flags: view.getUint32(at + statxOut.flags, true),
  stat: getSx(view, at + statxOut.stat)
})
