/**
 * Where the fields of the protocol's structs lie: for each struct its size in bytes, then each field's offset.
 * `include/uapi/linux/fuse.h`, protocol 7.45; little-endian, naturally aligned. A struct's name is the
 * kernel's without `fuse_`, in camelCase.
 *
 * Who reads or writes messages with them takes a copy first (`const A = { ...attr }`): what is imported is looked
 * up at each use, what is a module's own and constant is part of V8's code.
 */

export const attr = {
  bytes: 88, ino: 0, size: 8, blocks: 16, atime: 24, mtime: 32, ctime: 40, atimensec: 48, mtimensec: 52,
  ctimensec: 56, mode: 60, nlink: 64, uid: 68, gid: 72, rdev: 76, blksize: 80, flags: 84
} as const
export const sxTime = { bytes: 16, tvSec: 0, tvNsec: 8, reserved: 12 } as const
export const statx = {
  bytes: 256, mask: 0, blksize: 4, attributes: 8, nlink: 16, uid: 20, gid: 24, mode: 28, spare0: 30, ino: 32,
  size: 40, blocks: 48, attributesMask: 56, atime: 64, btime: 80, ctime: 96, mtime: 112, rdevMajor: 128,
  rdevMinor: 132, devMajor: 136, devMinor: 140, spare2: 144
} as const
export const kstatfs = {
  bytes: 80, blocks: 0, bfree: 8, bavail: 16, files: 24, ffree: 32, bsize: 40, namelen: 44, frsize: 48,
  padding: 52, spare: 56
} as const
export const fileLock = { bytes: 24, start: 0, end: 8, type: 16, pid: 20 } as const
export const entryOut = {
  bytes: 128, nodeid: 0, generation: 8, entryValid: 16, attrValid: 24, entryValidNsec: 32, attrValidNsec: 36,
  attr: 40
} as const
export const forgetIn = { bytes: 8, nlookup: 0 } as const
export const forgetOne = { bytes: 16, nodeid: 0, nlookup: 8 } as const
export const batchForgetIn = { bytes: 8, count: 0, dummy: 4 } as const
export const getattrIn = { bytes: 16, getattrFlags: 0, dummy: 4, fh: 8 } as const
export const attrOut = { bytes: 104, attrValid: 0, attrValidNsec: 8, dummy: 12, attr: 16 } as const
export const statxIn = { bytes: 24, getattrFlags: 0, reserved: 4, fh: 8, sxFlags: 16, sxMask: 20 } as const
export const statxOut = { bytes: 288, attrValid: 0, attrValidNsec: 8, flags: 12, spare: 16, stat: 32 } as const
export const mknodIn = { bytes: 16, mode: 0, rdev: 4, umask: 8, padding: 12 } as const
export const mkdirIn = { bytes: 8, mode: 0, umask: 4 } as const
export const renameIn = { bytes: 8, newdir: 0 } as const
export const rename2In = { bytes: 16, newdir: 0, flags: 8, padding: 12 } as const
export const linkIn = { bytes: 8, oldnodeid: 0 } as const
export const setattrIn = {
  bytes: 88, valid: 0, padding: 4, fh: 8, size: 16, lockOwner: 24, atime: 32, mtime: 40, ctime: 48, atimensec: 56,
  mtimensec: 60, ctimensec: 64, mode: 68, unused4: 72, uid: 76, gid: 80, unused5: 84
} as const
export const openIn = { bytes: 8, flags: 0, openFlags: 4 } as const
export const createIn = { bytes: 16, flags: 0, mode: 4, umask: 8, openFlags: 12 } as const
export const openOut = { bytes: 16, fh: 0, openFlags: 8, backingId: 12 } as const
export const releaseIn = { bytes: 24, fh: 0, flags: 8, releaseFlags: 12, lockOwner: 16 } as const
export const flushIn = { bytes: 24, fh: 0, unused: 8, padding: 12, lockOwner: 16 } as const
export const readIn = {
  bytes: 40, fh: 0, offset: 8, size: 16, readFlags: 20, lockOwner: 24, flags: 32, padding: 36
} as const
export const writeIn = {
  bytes: 40, fh: 0, offset: 8, size: 16, writeFlags: 20, lockOwner: 24, flags: 32, padding: 36
} as const
export const writeOut = { bytes: 8, size: 0, padding: 4 } as const
export const statfsOut = { bytes: 80, st: 0 } as const
export const fsyncIn = { bytes: 16, fh: 0, fsyncFlags: 8, padding: 12 } as const
export const setxattrIn = { bytes: 16, size: 0, flags: 4, setxattrFlags: 8, padding: 12 } as const
export const getxattrIn = { bytes: 8, size: 0, padding: 4 } as const
export const getxattrOut = { bytes: 8, size: 0, padding: 4 } as const
export const lkIn = { bytes: 48, fh: 0, owner: 8, lk: 16, lkFlags: 40, padding: 44 } as const
export const lkOut = { bytes: 24, lk: 0 } as const
export const accessIn = { bytes: 8, mask: 0, padding: 4 } as const
export const initIn = { bytes: 64, major: 0, minor: 4, maxReadahead: 8, flags: 12, flags2: 16, unused: 20 } as const
export const initOut = {
  bytes: 64, major: 0, minor: 4, maxReadahead: 8, flags: 12, maxBackground: 16, congestionThreshold: 18,
  maxWrite: 20, timeGran: 24, maxPages: 28, mapAlignment: 30, flags2: 32, maxStackDepth: 36, requestTimeout: 40,
  unused: 42
} as const
export const cuseInitIn = { bytes: 16, major: 0, minor: 4, unused: 8, flags: 12 } as const
export const cuseInitOut = {
  bytes: 72, major: 0, minor: 4, unused: 8, flags: 12, maxRead: 16, maxWrite: 20, devMajor: 24, devMinor: 28,
  spare: 32
} as const
export const interruptIn = { bytes: 8, unique: 0 } as const
export const bmapIn = { bytes: 16, block: 0, blocksize: 8, padding: 12 } as const
export const bmapOut = { bytes: 8, block: 0 } as const
export const ioctlIn = { bytes: 32, fh: 0, flags: 8, cmd: 12, arg: 16, inSize: 24, outSize: 28 } as const
export const ioctlIovec = { bytes: 16, base: 0, len: 8 } as const
export const ioctlOut = { bytes: 16, result: 0, flags: 4, inIovs: 8, outIovs: 12 } as const
export const pollIn = { bytes: 24, fh: 0, kh: 8, flags: 16, events: 20 } as const
export const pollOut = { bytes: 8, revents: 0, padding: 4 } as const
export const notifyPollWakeupOut = { bytes: 8, kh: 0 } as const
export const fallocateIn = { bytes: 32, fh: 0, offset: 8, length: 16, mode: 24, padding: 28 } as const
export const inHeader = {
  bytes: 40, len: 0, opcode: 4, unique: 8, nodeid: 16, uid: 24, gid: 28, pid: 32, totalExtlen: 36, padding: 38
} as const
export const outHeader = { bytes: 16, len: 0, error: 4, unique: 8 } as const
export const dirent = { bytes: 24, ino: 0, off: 8, namelen: 16, type: 20, name: 24 } as const
export const direntplus = { bytes: 152, entryOut: 0, dirent: 128 } as const
export const notifyInvalInodeOut = { bytes: 24, ino: 0, off: 8, len: 16 } as const
export const notifyInvalEntryOut = { bytes: 16, parent: 0, namelen: 8, flags: 12 } as const
export const notifyDeleteOut = { bytes: 24, parent: 0, child: 8, namelen: 16, padding: 20 } as const
export const notifyStoreOut = { bytes: 24, nodeid: 0, offset: 8, size: 16, padding: 20 } as const
export const notifyRetrieveOut = { bytes: 32, notifyUnique: 0, nodeid: 8, offset: 16, size: 24, padding: 28 } as const
export const notifyRetrieveIn = {
  bytes: 40, dummy1: 0, offset: 8, size: 16, dummy2: 20, dummy3: 24, dummy4: 32
} as const
export const notifyPruneOut = { bytes: 16, count: 0, padding: 4, spare: 8 } as const
export const backingMap = { bytes: 16, fd: 0, flags: 4, padding: 8 } as const
export const lseekIn = { bytes: 24, fh: 0, offset: 8, whence: 16, padding: 20 } as const
export const lseekOut = { bytes: 8, offset: 0 } as const
export const copyFileRangeIn = {
  bytes: 56, fhIn: 0, offIn: 8, nodeidOut: 16, fhOut: 24, offOut: 32, len: 40, flags: 48
} as const
export const copyFileRangeOut = { bytes: 8, bytesCopied: 0 } as const
export const setupmappingIn = { bytes: 40, fh: 0, foffset: 8, len: 16, flags: 24, moffset: 32 } as const
export const removemappingIn = { bytes: 4, count: 0 } as const
export const removemappingOne = { bytes: 16, moffset: 0, len: 8 } as const
export const syncfsIn = { bytes: 8, padding: 0 } as const
export const secctx = { bytes: 8, size: 0, padding: 4 } as const
export const secctxHeader = { bytes: 8, size: 0, nrSecctx: 4 } as const
export const extHeader = { bytes: 8, size: 0, type: 4 } as const
export const suppGroups = { bytes: 4, nrGroups: 0, groups: 4 } as const
export const uringEntInOut = { bytes: 32, flags: 0, commitId: 8, payloadSz: 16, padding: 20, reserved: 24 } as const
export const uringReqHeader = { bytes: 288, inOut: 0, opIn: 128, ringEntInOut: 256 } as const
export const uringCmdReq = { bytes: 24, flags: 0, commitId: 8, qid: 16, padding: 18 } as const
