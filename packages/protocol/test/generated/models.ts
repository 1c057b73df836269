// Made by packages/protocol/generator; do not edit.
/** Models of the messages for property tests: every field at its extremes. */
import * as fc from "fast-check"
import type * as M from "../../src/messages.ts"
import { anyFileLock, anyTime, bytes, duration, mode, name, offset, path, time, u16, u32, u64 } from "../primitives.ts"

const attr: fc.Arbitrary<M.Attr> = fc.record({ ino: u64, size: offset, blocks: u64, atime: time, mtime: time, ctime: time, mode, nlink: u32, uid: u32, gid: u32, rdev: u32, blksize: u32, flags: u32 })
export const entry: fc.Arbitrary<M.Entry> = fc.record({ nodeid: u64, generation: u64, entryValid: duration, attrValid: duration, attr })
export const attrReply: fc.Arbitrary<M.AttrReply> = fc.record({ attrValid: duration, attr })
export const statfs: fc.Arbitrary<M.Statfs> = fc.record({ blocks: u64, bfree: u64, bavail: u64, files: u64, ffree: u64, bsize: u32, namelen: u32, frsize: u32 })
const statx: fc.Arbitrary<M.Statx> = fc.record({ mask: u32, blksize: u32, attributes: u64, nlink: u32, uid: u32, gid: u32, mode, ino: u64, size: offset, blocks: u64, attributesMask: u64, atime: time, btime: time, ctime: time, mtime: time, rdevMajor: u32, rdevMinor: u32, devMajor: u32, devMinor: u32 })
export const statxReply: fc.Arbitrary<M.StatxReply> = fc.record({ attrValid: duration, flags: u32, stat: statx })
export const initReply: fc.Arbitrary<M.InitReply> = fc.record({ major: u32, minor: u32, maxReadahead: u32, flags: u32, maxBackground: u16, congestionThreshold: u16, maxWrite: u32, timeGran: u32, maxPages: u16, mapAlignment: u16, flags2: u32, maxStackDepth: u32, requestTimeout: u16 })
export const ioctlIovec: fc.Arbitrary<M.IoctlIovec> = fc.record({ base: u64, len: u64 })

/** By operation. `sized`: the field that counts the bytes of another. */
export const requestModels = {
  lookup: { fields: { name }, sized: undefined, extended: false },
  forget: { fields: { nlookup: u64 }, sized: undefined, extended: false },
  getattr: { fields: { fh: u64, getattrFlags: u32 }, sized: undefined, extended: false },
  setattr: { fields: { fh: u64, valid: u32, size: u64, lockOwner: u64, atime: anyTime, mtime: anyTime, ctime: anyTime, mode: u32, newUid: u32, newGid: u32 }, sized: undefined, extended: false },
  readlink: { fields: {}, sized: undefined, extended: false },
  symlink: { fields: { name, target: path }, sized: undefined, extended: true },
  mknod: { fields: { name, mode: u32, rdev: u32, umask: u32 }, sized: undefined, extended: true },
  mkdir: { fields: { name, mode: u32, umask: u32 }, sized: undefined, extended: true },
  unlink: { fields: { name }, sized: undefined, extended: false },
  rmdir: { fields: { name }, sized: undefined, extended: false },
  rename: { fields: { name, newname: name, newdir: u64, flags: u32 }, sized: undefined, extended: false },
  link: { fields: { newname: name, oldnodeid: u64 }, sized: undefined, extended: false },
  open: { fields: { flags: u32, openFlags: u32 }, sized: undefined, extended: false },
  read: { fields: { fh: u64, offset: u64, size: u32, readFlags: u32, lockOwner: u64, flags: u32 }, sized: undefined, extended: false },
  write: { fields: { data: bytes(300), fh: u64, offset: u64, size: u32, writeFlags: u32, lockOwner: u64, flags: u32 }, sized: ["size", "data"], extended: false },
  statfs: { fields: {}, sized: undefined, extended: false },
  release: { fields: { fh: u64, flags: u32, releaseFlags: u32, lockOwner: u64 }, sized: undefined, extended: false },
  fsync: { fields: { fh: u64, fsyncFlags: u32 }, sized: undefined, extended: false },
  setxattr: { fields: { name: path, value: bytes(300), flags: u32, setxattrFlags: u32 }, sized: undefined, extended: false },
  getxattr: { fields: { name: path, size: u32 }, sized: undefined, extended: false },
  listxattr: { fields: { size: u32 }, sized: undefined, extended: false },
  removexattr: { fields: { name: path }, sized: undefined, extended: false },
  flush: { fields: { fh: u64, lockOwner: u64 }, sized: undefined, extended: false },
  init: { fields: { major: u32, minor: u32, maxReadahead: u32, flags: u32, flags2: u32 }, sized: undefined, extended: false },
  opendir: { fields: { flags: u32, openFlags: u32 }, sized: undefined, extended: false },
  readdir: { fields: { fh: u64, offset: u64, size: u32, readFlags: u32, lockOwner: u64, flags: u32 }, sized: undefined, extended: false },
  releasedir: { fields: { fh: u64, flags: u32, releaseFlags: u32, lockOwner: u64 }, sized: undefined, extended: false },
  fsyncdir: { fields: { fh: u64, fsyncFlags: u32 }, sized: undefined, extended: false },
  getlk: { fields: { fh: u64, owner: u64, lk: anyFileLock, lkFlags: u32 }, sized: undefined, extended: false },
  setlk: { fields: { fh: u64, owner: u64, lk: anyFileLock, lkFlags: u32 }, sized: undefined, extended: false },
  setlkw: { fields: { fh: u64, owner: u64, lk: anyFileLock, lkFlags: u32 }, sized: undefined, extended: false },
  access: { fields: { mask: u32 }, sized: undefined, extended: false },
  create: { fields: { name, flags: u32, mode: u32, umask: u32, openFlags: u32 }, sized: undefined, extended: true },
  interrupt: { fields: { target: u64 }, sized: undefined, extended: false },
  bmap: { fields: { block: u64, blocksize: u32 }, sized: undefined, extended: false },
  destroy: { fields: {}, sized: undefined, extended: false },
  ioctl: { fields: { data: bytes(300), fh: u64, flags: u32, cmd: u32, arg: u64, inSize: u32, outSize: u32 }, sized: ["inSize", "data"], extended: false },
  poll: { fields: { fh: u64, kh: u64, flags: u32, events: u32 }, sized: undefined, extended: false },
  notifyReply: { fields: { data: bytes(300), offset: u64, size: u32 }, sized: ["size", "data"], extended: false },
  batchForget: { fields: { forgets: fc.array(fc.record({ nodeid: u64, nlookup: u64 }), { maxLength: 50 }) }, sized: undefined, extended: false },
  fallocate: { fields: { fh: u64, offset: u64, length: u64, mode: u32 }, sized: undefined, extended: false },
  readdirplus: { fields: { fh: u64, offset: u64, size: u32, readFlags: u32, lockOwner: u64, flags: u32 }, sized: undefined, extended: false },
  lseek: { fields: { fh: u64, offset: u64, whence: u32 }, sized: undefined, extended: false },
  copyFileRange: { fields: { wide: fc.boolean(), fhIn: u64, offIn: u64, nodeidOut: u64, fhOut: u64, offOut: u64, len: u64, flags: u64 }, sized: undefined, extended: false },
  setupmapping: { fields: { fh: u64, foffset: u64, len: u64, flags: u64, moffset: u64 }, sized: undefined, extended: false },
  removemapping: { fields: { mappings: fc.array(fc.record({ moffset: u64, len: u64 }), { maxLength: 50 }) }, sized: undefined, extended: false },
  syncfs: { fields: {}, sized: undefined, extended: false },
  tmpfile: { fields: { name: path, flags: u32, mode: u32, umask: u32, openFlags: u32 }, sized: undefined, extended: true },
  statx: { fields: { fh: u64, getattrFlags: u32, sxFlags: u32, sxMask: u32 }, sized: undefined, extended: false }
} as const
