// Made by packages/protocol/generator; do not edit.
/** The structs that replies are made of, read from memory and written to it. */
import type { Attr, AttrReply, Entry, FileLock, InitReply, IoctlHead, IoctlIovec, Open, Statfs, Statx, StatxReply } from "./messages.ts"
import { refuse } from "../refusal.ts"
import { checkNsec, checkU32, getS64, getU64, isNoNsec, putS64, putU64, setNsec, setS32, setS64, setU16, setU32, setU64 } from "../u64.ts"

const refuseAttr = (value: Attr): never => {
  checkNsec(value.atime.nsec, "atime")
  checkNsec(value.mtime.nsec, "mtime")
  checkNsec(value.ctime.nsec, "ctime")
  checkU32(value.mode, "mode")
  checkU32(value.nlink, "nlink")
  checkU32(value.uid, "uid")
  checkU32(value.gid, "gid")
  checkU32(value.rdev, "rdev")
  checkU32(value.blksize, "blksize")
  checkU32(value.flags, "flags")
  return refuse("EIO", "the reply changed while it was read")
}

/** Writes `struct fuse_attr` at the whole word `at`; refuses numbers that its fields cannot hold. */
const putAttr = (words: Uint32Array, at: number, value: Attr): void => {
  const { atime, blksize, ctime, flags, gid, mode, mtime, nlink, rdev, uid } = value
  const atimeNsec = atime.nsec
  const mtimeNsec = mtime.nsec
  const ctimeNsec = ctime.nsec
  if (
    mode >>> 0 !== mode ||
    nlink >>> 0 !== nlink ||
    uid >>> 0 !== uid ||
    gid >>> 0 !== gid ||
    rdev >>> 0 !== rdev ||
    blksize >>> 0 !== blksize ||
    flags >>> 0 !== flags ||
    isNoNsec(atimeNsec) ||
    isNoNsec(mtimeNsec) ||
    isNoNsec(ctimeNsec)
  ) refuseAttr(value)
  const first = at >> 2
  putU64(words, first, value.ino, "ino")
  putU64(words, first + 2, value.size, "size")
  putU64(words, first + 4, value.blocks, "blocks")
  putS64(words, first + 6, atime.sec, "atime")
  words[first + 12] = atimeNsec
  putS64(words, first + 8, mtime.sec, "mtime")
  words[first + 13] = mtimeNsec
  putS64(words, first + 10, ctime.sec, "ctime")
  words[first + 14] = ctimeNsec
  words[first + 15] = mode
  words[first + 16] = nlink
  words[first + 17] = uid
  words[first + 18] = gid
  words[first + 19] = rdev
  words[first + 20] = blksize
  words[first + 21] = flags
}

/** Reads `struct fuse_attr` at `at`. */
const getAttr = (view: DataView, at: number): Attr => ({
  ino: getU64(view, at),
  size: getU64(view, at + 8),
  blocks: getU64(view, at + 16),
  atime: { sec: getS64(view, at + 24), nsec: view.getUint32(at + 48, true) },
  mtime: { sec: getS64(view, at + 32), nsec: view.getUint32(at + 52, true) },
  ctime: { sec: getS64(view, at + 40), nsec: view.getUint32(at + 56, true) },
  mode: view.getUint32(at + 60, true),
  nlink: view.getUint32(at + 64, true),
  uid: view.getUint32(at + 68, true),
  gid: view.getUint32(at + 72, true),
  rdev: view.getUint32(at + 76, true),
  blksize: view.getUint32(at + 80, true),
  flags: view.getUint32(at + 84, true)
})

const refuseEntry = (value: Entry): never => {
  checkNsec(value.entryValid.nsec, "entry_valid")
  checkNsec(value.attrValid.nsec, "attr_valid")
  return refuse("EIO", "the reply changed while it was read")
}

/** Writes `struct fuse_entry_out` at the whole word `at`; refuses numbers that its fields cannot hold. */
export const putEntry = (words: Uint32Array, at: number, value: Entry): void => {
  const { attrValid, entryValid } = value
  const entryValidNsec = entryValid.nsec
  const attrValidNsec = attrValid.nsec
  if (
    isNoNsec(entryValidNsec) ||
    isNoNsec(attrValidNsec)
  ) refuseEntry(value)
  const first = at >> 2
  putU64(words, first, value.nodeid, "nodeid")
  putU64(words, first + 2, value.generation, "generation")
  putU64(words, first + 4, entryValid.sec, "entry_valid")
  words[first + 8] = entryValidNsec
  putU64(words, first + 6, attrValid.sec, "attr_valid")
  words[first + 9] = attrValidNsec
  putAttr(words, at + 40, value.attr)
}

/** Reads `struct fuse_entry_out` at `at`. */
export const getEntry = (view: DataView, at: number): Entry => ({
  nodeid: getU64(view, at),
  generation: getU64(view, at + 8),
  entryValid: { sec: getU64(view, at + 16), nsec: view.getUint32(at + 32, true) },
  attrValid: { sec: getU64(view, at + 24), nsec: view.getUint32(at + 36, true) },
  attr: getAttr(view, at + 40)
})

const refuseAttrReply = (value: AttrReply): never => {
  checkNsec(value.attrValid.nsec, "attr_valid")
  return refuse("EIO", "the reply changed while it was read")
}

/** Writes `struct fuse_attr_out` at the whole word `at`; refuses numbers that its fields cannot hold. */
export const putAttrReply = (words: Uint32Array, at: number, value: AttrReply): void => {
  const { attrValid } = value
  const attrValidNsec = attrValid.nsec
  if (
    isNoNsec(attrValidNsec)
  ) refuseAttrReply(value)
  const first = at >> 2
  putU64(words, first, attrValid.sec, "attr_valid")
  words[first + 2] = attrValidNsec
  putAttr(words, at + 16, value.attr)
  words[first + 3] = 0
}

/** Reads `struct fuse_attr_out` at `at`. */
export const getAttrReply = (view: DataView, at: number): AttrReply => ({
  attrValid: { sec: getU64(view, at), nsec: view.getUint32(at + 8, true) },
  attr: getAttr(view, at + 16)
})

/** Writes `struct fuse_open_out` at `at`; refuses numbers that its fields cannot hold. */
export const putOpen = (view: DataView, at: number, value: Open): void => {
  setU64(view, at, value.fh, "fh")
  setU32(view, at + 8, value.openFlags, "open_flags")
  setS32(view, at + 12, value.backingId ?? 0, "backing_id")
}

/** Reads `struct fuse_open_out` at `at`. */
export const getOpen = (view: DataView, at: number): Open => {
  const backingId = view.getInt32(at + 12, true)
  return {
    fh: getU64(view, at),
    openFlags: view.getUint32(at + 8, true),
    ...(backingId === 0 ? undefined : { backingId })
  }
}

/** Writes `struct fuse_file_lock` at `at`; refuses numbers that its fields cannot hold. */
export const putFileLock = (view: DataView, at: number, value: FileLock): void => {
  setU64(view, at, value.start, "start")
  setU64(view, at + 8, value.end, "end")
  setU32(view, at + 16, value.type, "type")
  setU32(view, at + 20, value.pid, "pid")
}

/** Reads `struct fuse_file_lock` at `at`. */
export const getFileLock = (view: DataView, at: number): FileLock => ({
  start: getU64(view, at),
  end: getU64(view, at + 8),
  type: view.getUint32(at + 16, true),
  pid: view.getUint32(at + 20, true)
})

/** Writes `struct fuse_kstatfs` at `at`; refuses numbers that its fields cannot hold. */
export const putStatfs = (view: DataView, at: number, value: Statfs): void => {
  setU64(view, at, value.blocks, "blocks")
  setU64(view, at + 8, value.bfree, "bfree")
  setU64(view, at + 16, value.bavail, "bavail")
  setU64(view, at + 24, value.files, "files")
  setU64(view, at + 32, value.ffree, "ffree")
  setU32(view, at + 40, value.bsize, "bsize")
  setU32(view, at + 44, value.namelen, "namelen")
  setU32(view, at + 48, value.frsize, "frsize")
  view.setUint32(at + 52, 0, true)
  for (let filler = at + 56; filler < at + 80; filler += 4) view.setUint32(filler, 0, true)
}

/** Reads `struct fuse_kstatfs` at `at`. */
export const getStatfs = (view: DataView, at: number): Statfs => ({
  blocks: getU64(view, at),
  bfree: getU64(view, at + 8),
  bavail: getU64(view, at + 16),
  files: getU64(view, at + 24),
  ffree: getU64(view, at + 32),
  bsize: view.getUint32(at + 40, true),
  namelen: view.getUint32(at + 44, true),
  frsize: view.getUint32(at + 48, true)
})

/** Writes `struct fuse_statx` at `at`; refuses numbers that its fields cannot hold. */
const putStatx = (view: DataView, at: number, value: Statx): void => {
  setU32(view, at, value.mask, "mask")
  setU32(view, at + 4, value.blksize, "blksize")
  setU64(view, at + 8, value.attributes, "attributes")
  setU32(view, at + 16, value.nlink, "nlink")
  setU32(view, at + 20, value.uid, "uid")
  setU32(view, at + 24, value.gid, "gid")
  setU16(view, at + 28, value.mode, "mode")
  setU64(view, at + 32, value.ino, "ino")
  setU64(view, at + 40, value.size, "size")
  setU64(view, at + 48, value.blocks, "blocks")
  setU64(view, at + 56, value.attributesMask, "attributes_mask")
  setS64(view, at + 64, value.atime.sec, "atime")
  setNsec(view, at + 72, value.atime.nsec, "atime")
  setS64(view, at + 80, value.btime.sec, "btime")
  setNsec(view, at + 88, value.btime.nsec, "btime")
  setS64(view, at + 96, value.ctime.sec, "ctime")
  setNsec(view, at + 104, value.ctime.nsec, "ctime")
  setS64(view, at + 112, value.mtime.sec, "mtime")
  setNsec(view, at + 120, value.mtime.nsec, "mtime")
  setU32(view, at + 128, value.rdevMajor, "rdev_major")
  setU32(view, at + 132, value.rdevMinor, "rdev_minor")
  setU32(view, at + 136, value.devMajor, "dev_major")
  setU32(view, at + 140, value.devMinor, "dev_minor")
  view.setUint16(at + 30, 0, true)
  for (let filler = at + 144; filler < at + 256; filler += 4) view.setUint32(filler, 0, true)
}

/** Reads `struct fuse_statx` at `at`. */
const getStatx = (view: DataView, at: number): Statx => ({
  mask: view.getUint32(at, true),
  blksize: view.getUint32(at + 4, true),
  attributes: getU64(view, at + 8),
  nlink: view.getUint32(at + 16, true),
  uid: view.getUint32(at + 20, true),
  gid: view.getUint32(at + 24, true),
  mode: view.getUint16(at + 28, true),
  ino: getU64(view, at + 32),
  size: getU64(view, at + 40),
  blocks: getU64(view, at + 48),
  attributesMask: getU64(view, at + 56),
  atime: { sec: getS64(view, at + 64), nsec: view.getUint32(at + 72, true) },
  btime: { sec: getS64(view, at + 80), nsec: view.getUint32(at + 88, true) },
  ctime: { sec: getS64(view, at + 96), nsec: view.getUint32(at + 104, true) },
  mtime: { sec: getS64(view, at + 112), nsec: view.getUint32(at + 120, true) },
  rdevMajor: view.getUint32(at + 128, true),
  rdevMinor: view.getUint32(at + 132, true),
  devMajor: view.getUint32(at + 136, true),
  devMinor: view.getUint32(at + 140, true)
})

/** Writes `struct fuse_statx_out` at `at`; refuses numbers that its fields cannot hold. */
export const putStatxReply = (view: DataView, at: number, value: StatxReply): void => {
  setU64(view, at, value.attrValid.sec, "attr_valid")
  setNsec(view, at + 8, value.attrValid.nsec, "attr_valid")
  setU32(view, at + 12, value.flags, "flags")
  putStatx(view, at + 32, value.stat)
  view.setUint32(at + 16, 0, true)
  view.setUint32(at + 20, 0, true)
  view.setUint32(at + 24, 0, true)
  view.setUint32(at + 28, 0, true)
}

/** Reads `struct fuse_statx_out` at `at`. */
export const getStatxReply = (view: DataView, at: number): StatxReply => ({
  attrValid: { sec: getU64(view, at), nsec: view.getUint32(at + 8, true) },
  flags: view.getUint32(at + 12, true),
  stat: getStatx(view, at + 32)
})

/** Writes `struct fuse_init_out` at `at`; refuses numbers that its fields cannot hold. */
export const putInitReply = (view: DataView, at: number, value: InitReply): void => {
  setU32(view, at, value.major, "major")
  setU32(view, at + 4, value.minor, "minor")
  setU32(view, at + 8, value.maxReadahead, "max_readahead")
  setU32(view, at + 12, value.flags, "flags")
  setU16(view, at + 16, value.maxBackground, "max_background")
  setU16(view, at + 18, value.congestionThreshold, "congestion_threshold")
  setU32(view, at + 20, value.maxWrite, "max_write")
  setU32(view, at + 24, value.timeGran, "time_gran")
  setU16(view, at + 28, value.maxPages, "max_pages")
  setU16(view, at + 30, value.mapAlignment, "map_alignment")
  setU32(view, at + 32, value.flags2, "flags2")
  setU32(view, at + 36, value.maxStackDepth, "max_stack_depth")
  setU16(view, at + 40, value.requestTimeout, "request_timeout")
  for (let filler = at + 42; filler < at + 64; filler += 2) view.setUint16(filler, 0, true)
}

/** Reads `struct fuse_init_out` at `at`. */
export const getInitReply = (view: DataView, at: number): InitReply => ({
  major: view.getUint32(at, true),
  minor: view.getUint32(at + 4, true),
  maxReadahead: view.getUint32(at + 8, true),
  flags: view.getUint32(at + 12, true),
  maxBackground: view.getUint16(at + 16, true),
  congestionThreshold: view.getUint16(at + 18, true),
  maxWrite: view.getUint32(at + 20, true),
  timeGran: view.getUint32(at + 24, true),
  maxPages: view.getUint16(at + 28, true),
  mapAlignment: view.getUint16(at + 30, true),
  flags2: view.getUint32(at + 32, true),
  maxStackDepth: view.getUint32(at + 36, true),
  requestTimeout: view.getUint16(at + 40, true)
})

/** Writes `struct fuse_ioctl_iovec` at `at`; refuses numbers that its fields cannot hold. */
export const putIoctlIovec = (view: DataView, at: number, value: IoctlIovec): void => {
  setU64(view, at, value.base, "base")
  setU64(view, at + 8, value.len, "len")
}

/** Reads `struct fuse_ioctl_iovec` at `at`. */
export const getIoctlIovec = (view: DataView, at: number): IoctlIovec => ({
  base: getU64(view, at),
  len: getU64(view, at + 8)
})

/** Writes `struct fuse_ioctl_out` at `at`; refuses numbers that its fields cannot hold. */
export const putIoctlHead = (view: DataView, at: number, value: IoctlHead): void => {
  setS32(view, at, value.result, "result")
  setU32(view, at + 4, value.flags, "flags")
  setU32(view, at + 8, value.inIovs, "in_iovs")
  setU32(view, at + 12, value.outIovs, "out_iovs")
}

/** Reads `struct fuse_ioctl_out` at `at`. */
export const getIoctlHead = (view: DataView, at: number): IoctlHead => ({
  result: view.getInt32(at, true),
  flags: view.getUint32(at + 4, true),
  inIovs: view.getUint32(at + 8, true),
  outIovs: view.getUint32(at + 12, true)
})
