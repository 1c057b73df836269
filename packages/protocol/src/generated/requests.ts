// Made by packages/protocol/generator; do not edit.
/**
 * Decoders and encoders of requests, by the opcode's name. A decoder makes one object, its fields always in the same
 * order; a name or extension is copied out of the frame, data is a view into it.
 */
import { isDecodeError } from "../decodeError.ts"
import type { Frame } from "../frame.ts"
import type { Version } from "../version.ts"
import type * as M from "./messages.ts"
import type { DecodeError, U64 } from "../primitives.ts"
import { findNul, nameBytes, pathBytes, readName, readPath } from "../name.ts"
import { refuse } from "../refusal.ts"
import {
  appendExtensions, badCount, badExtensions, badName, badPath, dataAfter, extended, extensionsAt, lastName, lastPath, refuseLength
} from "../requestParts.ts"
import { getFileLock, putFileLock } from "./records.ts"
import { getS64, getU64, setS64, setU32, setU64 } from "../u64.ts"
import type { Writer } from "../writer.ts"

const decodeLookup = (f: Frame, at: number): M.LookupRequest | DecodeError => {
  const { header, view } = f
  const name = lastName(f, at, f.end)
  if (name === undefined) return badName(f, "name", at)
  return {
    op: "lookup",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    name
  }
}

const encodeLookup = (request: M.LookupRequest, writer: Writer): number => {
  writer.terminated(nameBytes(request.name))
  return 0
}

const decodeForget = (f: Frame): M.ForgetRequest => {
  const { args, header, view } = f
  return {
    op: "forget",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    nlookup: getU64(view, args)
  }
}

const encodeForget = (request: M.ForgetRequest, writer: Writer): number => {
  const at = writer.grow(8)
  const { view } = writer
  setU64(view, at, request.nlookup, "nlookup")
  return 0
}

const decodeGetattr = (f: Frame): M.GetattrRequest => {
  const { args, header, view } = f
  return {
    op: "getattr",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args + 8),
    getattrFlags: view.getUint32(args, true)
  }
}

const encodeGetattr = (request: M.GetattrRequest, writer: Writer): number => {
  const at = writer.grow(16)
  const { view } = writer
  setU64(view, at + 8, request.fh, "fh")
  setU32(view, at, request.getattrFlags, "getattr_flags")
  return 0
}

const decodeSetattr = (f: Frame): M.SetattrRequest => {
  const { args, header, view } = f
  return {
    op: "setattr",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args + 8),
    valid: view.getUint32(args, true),
    size: getU64(view, args + 16),
    lockOwner: getU64(view, args + 24),
    atime: { sec: getS64(view, args + 32), nsec: view.getUint32(args + 56, true) },
    mtime: { sec: getS64(view, args + 40), nsec: view.getUint32(args + 60, true) },
    ctime: { sec: getS64(view, args + 48), nsec: view.getUint32(args + 64, true) },
    mode: view.getUint32(args + 68, true),
    newUid: view.getUint32(args + 76, true),
    newGid: view.getUint32(args + 80, true)
  }
}

const encodeSetattr = (request: M.SetattrRequest, writer: Writer): number => {
  const at = writer.grow(88)
  const { view } = writer
  setU64(view, at + 8, request.fh, "fh")
  setU32(view, at, request.valid, "valid")
  setU64(view, at + 16, request.size, "size")
  setU64(view, at + 24, request.lockOwner, "lock_owner")
  setS64(view, at + 32, request.atime.sec, "atime")
  setU32(view, at + 56, request.atime.nsec, "atime")
  setS64(view, at + 40, request.mtime.sec, "mtime")
  setU32(view, at + 60, request.mtime.nsec, "mtime")
  setS64(view, at + 48, request.ctime.sec, "ctime")
  setU32(view, at + 64, request.ctime.nsec, "ctime")
  setU32(view, at + 68, request.mode, "mode")
  setU32(view, at + 76, request.newUid, "uid")
  setU32(view, at + 80, request.newGid, "gid")
  return 0
}

const decodeReadlink = (f: Frame): M.ReadlinkRequest => {
  const { header, view } = f
  return {
    op: "readlink",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true)
  }
}

const encodeReadlink = (): number => 0

const decodeSymlink = (f: Frame, at: number): M.SymlinkRequest | DecodeError => {
  const { header, view } = f
  const end = extensionsAt(f)
  if (end < at) return badExtensions(f)
  const nameEnd = findNul(f.bytes, at, end)
  const name = nameEnd < 0 ? undefined : readName(f.bytes, at, nameEnd)
  if (name === undefined) return badName(f, "name", at)
  const target = lastPath(f, nameEnd + 1, end)
  if (target === undefined) return badPath(f, "target", nameEnd + 1)
  return extended<M.SymlinkRequest>(f, end, {
    op: "symlink",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    name,
    target
  })
}

const encodeSymlink = (request: M.SymlinkRequest, writer: Writer): number => {
  writer.terminated(nameBytes(request.name))
  writer.terminated(pathBytes(request.target, "target"))
  return appendExtensions(writer, request)
}

const decodeMknod = (f: Frame, at: number): M.MknodRequest | DecodeError => {
  const { args, header, view } = f
  const end = extensionsAt(f)
  if (end < at) return badExtensions(f)
  const name = lastName(f, at, end)
  if (name === undefined) return badName(f, "name", at)
  return extended<M.MknodRequest>(f, end, {
    op: "mknod",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    name,
    mode: view.getUint32(args, true),
    rdev: view.getUint32(args + 4, true),
    umask: view.getUint32(args + 8, true)
  })
}

const encodeMknod = (request: M.MknodRequest, writer: Writer): number => {
  const at = writer.grow(16)
  const { view } = writer
  setU32(view, at, request.mode, "mode")
  setU32(view, at + 4, request.rdev, "rdev")
  setU32(view, at + 8, request.umask, "umask")
  writer.terminated(nameBytes(request.name))
  return appendExtensions(writer, request)
}

const decodeMkdir = (f: Frame, at: number): M.MkdirRequest | DecodeError => {
  const { args, header, view } = f
  const end = extensionsAt(f)
  if (end < at) return badExtensions(f)
  const name = lastName(f, at, end)
  if (name === undefined) return badName(f, "name", at)
  return extended<M.MkdirRequest>(f, end, {
    op: "mkdir",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    name,
    mode: view.getUint32(args, true),
    umask: view.getUint32(args + 4, true)
  })
}

const encodeMkdir = (request: M.MkdirRequest, writer: Writer): number => {
  const at = writer.grow(8)
  const { view } = writer
  setU32(view, at, request.mode, "mode")
  setU32(view, at + 4, request.umask, "umask")
  writer.terminated(nameBytes(request.name))
  return appendExtensions(writer, request)
}

const decodeUnlink = (f: Frame, at: number): M.UnlinkRequest | DecodeError => {
  const { header, view } = f
  const name = lastName(f, at, f.end)
  if (name === undefined) return badName(f, "name", at)
  return {
    op: "unlink",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    name
  }
}

const encodeUnlink = (request: M.UnlinkRequest, writer: Writer): number => {
  writer.terminated(nameBytes(request.name))
  return 0
}

const decodeRmdir = (f: Frame, at: number): M.RmdirRequest | DecodeError => {
  const { header, view } = f
  const name = lastName(f, at, f.end)
  if (name === undefined) return badName(f, "name", at)
  return {
    op: "rmdir",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    name
  }
}

const encodeRmdir = (request: M.RmdirRequest, writer: Writer): number => {
  writer.terminated(nameBytes(request.name))
  return 0
}

const decodeRename = (f: Frame, at: number): M.RenameRequest | DecodeError => {
  const { args, header, view } = f
  const nameEnd = findNul(f.bytes, at, f.end)
  const name = nameEnd < 0 ? undefined : readName(f.bytes, at, nameEnd)
  if (name === undefined) return badName(f, "oldname", at)
  const newname = lastName(f, nameEnd + 1, f.end)
  if (newname === undefined) return badName(f, "newname", nameEnd + 1)
  return {
    op: "rename",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    name,
    newname,
    flags: 0,
    newdir: getU64(view, args)
  }
}

const encodeRename = (request: M.RenameRequest, writer: Writer): number => {
  const at = writer.grow(8)
  const { view } = writer
  setU64(view, at, request.newdir, "newdir")
  writer.terminated(nameBytes(request.name))
  writer.terminated(nameBytes(request.newname))
  return 0
}

const decodeLink = (f: Frame, at: number): M.LinkRequest | DecodeError => {
  const { args, header, view } = f
  const newname = lastName(f, at, f.end)
  if (newname === undefined) return badName(f, "newname", at)
  return {
    op: "link",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    newname,
    oldnodeid: getU64(view, args)
  }
}

const encodeLink = (request: M.LinkRequest, writer: Writer): number => {
  const at = writer.grow(8)
  const { view } = writer
  setU64(view, at, request.oldnodeid, "oldnodeid")
  writer.terminated(nameBytes(request.newname))
  return 0
}

const decodeOpen = (f: Frame): M.OpenRequest => {
  const { args, header, view } = f
  return {
    op: "open",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    flags: view.getUint32(args, true),
    openFlags: view.getUint32(args + 4, true)
  }
}

const encodeOpen = (request: M.OpenRequest, writer: Writer): number => {
  const at = writer.grow(8)
  const { view } = writer
  setU32(view, at, request.flags, "flags")
  setU32(view, at + 4, request.openFlags, "open_flags")
  return 0
}

const decodeRead = (f: Frame): M.ReadRequest => {
  const { args, header, view } = f
  return {
    op: "read",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    offset: getU64(view, args + 8),
    size: view.getUint32(args + 16, true),
    readFlags: view.getUint32(args + 20, true),
    lockOwner: getU64(view, args + 24),
    flags: view.getUint32(args + 32, true)
  }
}

const encodeRead = (request: M.ReadRequest, writer: Writer): number => {
  const at = writer.grow(40)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU64(view, at + 8, request.offset, "offset")
  setU32(view, at + 16, request.size, "size")
  setU32(view, at + 20, request.readFlags, "read_flags")
  setU64(view, at + 24, request.lockOwner, "lock_owner")
  setU32(view, at + 32, request.flags, "flags")
  return 0
}

const decodeWrite = (f: Frame, at: number): M.WriteRequest | DecodeError => {
  const { args, header, view } = f
  const size = view.getUint32(args + 16, true)
  const data = dataAfter(f, at, size, "data")
  if (isDecodeError(data)) return data
  return {
    op: "write",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    offset: getU64(view, args + 8),
    size,
    writeFlags: view.getUint32(args + 20, true),
    lockOwner: getU64(view, args + 24),
    flags: view.getUint32(args + 32, true),
    data
  }
}

const encodeWrite = (request: M.WriteRequest, writer: Writer): number => {
  const at = writer.grow(40)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU64(view, at + 8, request.offset, "offset")
  setU32(view, at + 16, request.size, "size")
  setU32(view, at + 20, request.writeFlags, "write_flags")
  setU64(view, at + 24, request.lockOwner, "lock_owner")
  setU32(view, at + 32, request.flags, "flags")
  if (request.data.length !== request.size) refuseLength("size", request.size, request.data)
  writer.data(request.data)
  return 0
}

const decodeStatfs = (f: Frame): M.StatfsRequest => {
  const { header, view } = f
  return {
    op: "statfs",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true)
  }
}

const encodeStatfs = (): number => 0

const decodeRelease = (f: Frame): M.ReleaseRequest => {
  const { args, header, view } = f
  return {
    op: "release",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    flags: view.getUint32(args + 8, true),
    releaseFlags: view.getUint32(args + 12, true),
    lockOwner: getU64(view, args + 16)
  }
}

const encodeRelease = (request: M.ReleaseRequest, writer: Writer): number => {
  const at = writer.grow(24)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU32(view, at + 8, request.flags, "flags")
  setU32(view, at + 12, request.releaseFlags, "release_flags")
  setU64(view, at + 16, request.lockOwner, "lock_owner")
  return 0
}

const decodeFsync = (f: Frame): M.FsyncRequest => {
  const { args, header, view } = f
  return {
    op: "fsync",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    fsyncFlags: view.getUint32(args + 8, true)
  }
}

const encodeFsync = (request: M.FsyncRequest, writer: Writer): number => {
  const at = writer.grow(16)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU32(view, at + 8, request.fsyncFlags, "fsync_flags")
  return 0
}

const decodeSetxattr = (f: Frame, at: number, version: Version | undefined): M.SetxattrRequest | DecodeError => {
  const { args, header, view } = f
  const nameEnd = findNul(f.bytes, at, f.end)
  const name = nameEnd < 0 ? undefined : readPath(f.bytes, at, nameEnd)
  if (name === undefined) return badPath(f, "name", at)
  const value = dataAfter(f, nameEnd + 1, view.getUint32(args, true), "value")
  if (isDecodeError(value)) return value
  return {
    op: "setxattr",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    name,
    flags: view.getUint32(args + 4, true),
    setxattrFlags: version?.setxattrExt === true ? view.getUint32(args + 8, true) : 0,
    value
  }
}

const encodeSetxattr = (request: M.SetxattrRequest, writer: Writer, version: Version | undefined): number => {
  const whole = version?.setxattrExt === true
  const at = writer.grow(whole ? 16 : 8)
  const { view } = writer
  setU32(view, at, request.value.length, "size")
  setU32(view, at + 4, request.flags, "flags")
  if (whole) setU32(view, at + 8, request.setxattrFlags, "setxattr_flags")
  if (!whole && request.setxattrFlags !== 0) refuse("EIO", "setxattr_flags needs a newer kernel")
  writer.terminated(pathBytes(request.name, "an attribute's name"))
  writer.data(request.value)
  return 0
}

const decodeGetxattr = (f: Frame, at: number): M.GetxattrRequest | DecodeError => {
  const { args, header, view } = f
  const name = lastPath(f, at, f.end)
  if (name === undefined) return badPath(f, "name", at)
  return {
    op: "getxattr",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    name,
    size: view.getUint32(args, true)
  }
}

const encodeGetxattr = (request: M.GetxattrRequest, writer: Writer): number => {
  const at = writer.grow(8)
  const { view } = writer
  setU32(view, at, request.size, "size")
  writer.terminated(pathBytes(request.name, "an attribute's name"))
  return 0
}

const decodeListxattr = (f: Frame): M.ListxattrRequest => {
  const { args, header, view } = f
  return {
    op: "listxattr",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    size: view.getUint32(args, true)
  }
}

const encodeListxattr = (request: M.ListxattrRequest, writer: Writer): number => {
  const at = writer.grow(8)
  const { view } = writer
  setU32(view, at, request.size, "size")
  return 0
}

const decodeRemovexattr = (f: Frame, at: number): M.RemovexattrRequest | DecodeError => {
  const { header, view } = f
  const name = lastPath(f, at, f.end)
  if (name === undefined) return badPath(f, "name", at)
  return {
    op: "removexattr",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    name
  }
}

const encodeRemovexattr = (request: M.RemovexattrRequest, writer: Writer): number => {
  writer.terminated(pathBytes(request.name, "an attribute's name"))
  return 0
}

const decodeFlush = (f: Frame): M.FlushRequest => {
  const { args, header, view } = f
  return {
    op: "flush",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    lockOwner: getU64(view, args + 16)
  }
}

const encodeFlush = (request: M.FlushRequest, writer: Writer): number => {
  const at = writer.grow(24)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU64(view, at + 16, request.lockOwner, "lock_owner")
  return 0
}

const decodeInit = (f: Frame, at: number): M.InitRequest => {
  const { args, header, view } = f
  return {
    op: "init",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    major: view.getUint32(args, true),
    minor: view.getUint32(args + 4, true),
    maxReadahead: view.getUint32(args + 8, true),
    flags: view.getUint32(args + 12, true),
    flags2: f.end - at >= 4 ? view.getUint32(at, true) : 0
  }
}

const encodeInit = (request: M.InitRequest, writer: Writer): number => {
  const whole = request.minor >= 36
  const at = writer.grow(whole ? 64 : 16)
  const { view } = writer
  setU32(view, at, request.major, "major")
  setU32(view, at + 4, request.minor, "minor")
  setU32(view, at + 8, request.maxReadahead, "max_readahead")
  setU32(view, at + 12, request.flags, "flags")
  if (whole) setU32(view, at + 16, request.flags2, "flags2")
  if (!whole && request.flags2 !== 0) refuse("EIO", "flags2 needs a newer kernel")
  return 0
}

const decodeOpendir = (f: Frame): M.OpendirRequest => {
  const { args, header, view } = f
  return {
    op: "opendir",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    flags: view.getUint32(args, true),
    openFlags: view.getUint32(args + 4, true)
  }
}

const encodeOpendir = (request: M.OpendirRequest, writer: Writer): number => {
  const at = writer.grow(8)
  const { view } = writer
  setU32(view, at, request.flags, "flags")
  setU32(view, at + 4, request.openFlags, "open_flags")
  return 0
}

const decodeReaddir = (f: Frame): M.ReaddirRequest => {
  const { args, header, view } = f
  return {
    op: "readdir",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    offset: getU64(view, args + 8),
    size: view.getUint32(args + 16, true),
    readFlags: view.getUint32(args + 20, true),
    lockOwner: getU64(view, args + 24),
    flags: view.getUint32(args + 32, true)
  }
}

const encodeReaddir = (request: M.ReaddirRequest, writer: Writer): number => {
  const at = writer.grow(40)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU64(view, at + 8, request.offset, "offset")
  setU32(view, at + 16, request.size, "size")
  setU32(view, at + 20, request.readFlags, "read_flags")
  setU64(view, at + 24, request.lockOwner, "lock_owner")
  setU32(view, at + 32, request.flags, "flags")
  return 0
}

const decodeReleasedir = (f: Frame): M.ReleasedirRequest => {
  const { args, header, view } = f
  return {
    op: "releasedir",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    flags: view.getUint32(args + 8, true),
    releaseFlags: view.getUint32(args + 12, true),
    lockOwner: getU64(view, args + 16)
  }
}

const encodeReleasedir = (request: M.ReleasedirRequest, writer: Writer): number => {
  const at = writer.grow(24)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU32(view, at + 8, request.flags, "flags")
  setU32(view, at + 12, request.releaseFlags, "release_flags")
  setU64(view, at + 16, request.lockOwner, "lock_owner")
  return 0
}

const decodeFsyncdir = (f: Frame): M.FsyncdirRequest => {
  const { args, header, view } = f
  return {
    op: "fsyncdir",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    fsyncFlags: view.getUint32(args + 8, true)
  }
}

const encodeFsyncdir = (request: M.FsyncdirRequest, writer: Writer): number => {
  const at = writer.grow(16)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU32(view, at + 8, request.fsyncFlags, "fsync_flags")
  return 0
}

const decodeGetlk = (f: Frame): M.GetlkRequest => {
  const { args, header, view } = f
  return {
    op: "getlk",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    owner: getU64(view, args + 8),
    lk: getFileLock(view, args + 16),
    lkFlags: view.getUint32(args + 40, true)
  }
}

const encodeGetlk = (request: M.GetlkRequest, writer: Writer): number => {
  const at = writer.grow(48)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU64(view, at + 8, request.owner, "owner")
  putFileLock(view, at + 16, request.lk)
  setU32(view, at + 40, request.lkFlags, "lk_flags")
  return 0
}

const decodeSetlk = (f: Frame): M.SetlkRequest => {
  const { args, header, view } = f
  return {
    op: "setlk",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    owner: getU64(view, args + 8),
    lk: getFileLock(view, args + 16),
    lkFlags: view.getUint32(args + 40, true)
  }
}

const encodeSetlk = (request: M.SetlkRequest, writer: Writer): number => {
  const at = writer.grow(48)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU64(view, at + 8, request.owner, "owner")
  putFileLock(view, at + 16, request.lk)
  setU32(view, at + 40, request.lkFlags, "lk_flags")
  return 0
}

const decodeSetlkw = (f: Frame): M.SetlkwRequest => {
  const { args, header, view } = f
  return {
    op: "setlkw",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    owner: getU64(view, args + 8),
    lk: getFileLock(view, args + 16),
    lkFlags: view.getUint32(args + 40, true)
  }
}

const encodeSetlkw = (request: M.SetlkwRequest, writer: Writer): number => {
  const at = writer.grow(48)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU64(view, at + 8, request.owner, "owner")
  putFileLock(view, at + 16, request.lk)
  setU32(view, at + 40, request.lkFlags, "lk_flags")
  return 0
}

const decodeAccess = (f: Frame): M.AccessRequest => {
  const { args, header, view } = f
  return {
    op: "access",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    mask: view.getUint32(args, true)
  }
}

const encodeAccess = (request: M.AccessRequest, writer: Writer): number => {
  const at = writer.grow(8)
  const { view } = writer
  setU32(view, at, request.mask, "mask")
  return 0
}

const decodeCreate = (f: Frame, at: number): M.CreateRequest | DecodeError => {
  const { args, header, view } = f
  const end = extensionsAt(f)
  if (end < at) return badExtensions(f)
  const name = lastName(f, at, end)
  if (name === undefined) return badName(f, "name", at)
  return extended<M.CreateRequest>(f, end, {
    op: "create",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    name,
    flags: view.getUint32(args, true),
    mode: view.getUint32(args + 4, true),
    umask: view.getUint32(args + 8, true),
    openFlags: view.getUint32(args + 12, true)
  })
}

const encodeCreate = (request: M.CreateRequest, writer: Writer): number => {
  const at = writer.grow(16)
  const { view } = writer
  setU32(view, at, request.flags, "flags")
  setU32(view, at + 4, request.mode, "mode")
  setU32(view, at + 8, request.umask, "umask")
  setU32(view, at + 12, request.openFlags, "open_flags")
  writer.terminated(nameBytes(request.name))
  return appendExtensions(writer, request)
}

const decodeInterrupt = (f: Frame): M.InterruptRequest => {
  const { args, header, view } = f
  return {
    op: "interrupt",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    target: getU64(view, args)
  }
}

const encodeInterrupt = (request: M.InterruptRequest, writer: Writer): number => {
  const at = writer.grow(8)
  const { view } = writer
  setU64(view, at, request.target, "unique")
  return 0
}

const decodeBmap = (f: Frame): M.BmapRequest => {
  const { args, header, view } = f
  return {
    op: "bmap",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    block: getU64(view, args),
    blocksize: view.getUint32(args + 8, true)
  }
}

const encodeBmap = (request: M.BmapRequest, writer: Writer): number => {
  const at = writer.grow(16)
  const { view } = writer
  setU64(view, at, request.block, "block")
  setU32(view, at + 8, request.blocksize, "blocksize")
  return 0
}

const decodeDestroy = (f: Frame): M.DestroyRequest => {
  const { header, view } = f
  return {
    op: "destroy",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true)
  }
}

const encodeDestroy = (): number => 0

const decodeIoctl = (f: Frame, at: number): M.IoctlRequest | DecodeError => {
  const { args, header, view } = f
  const inSize = view.getUint32(args + 24, true)
  const data = dataAfter(f, at, inSize, "data")
  if (isDecodeError(data)) return data
  return {
    op: "ioctl",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    flags: view.getUint32(args + 8, true),
    cmd: view.getUint32(args + 12, true),
    arg: getU64(view, args + 16),
    inSize,
    outSize: view.getUint32(args + 28, true),
    data
  }
}

const encodeIoctl = (request: M.IoctlRequest, writer: Writer): number => {
  const at = writer.grow(32)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU32(view, at + 8, request.flags, "flags")
  setU32(view, at + 12, request.cmd, "cmd")
  setU64(view, at + 16, request.arg, "arg")
  setU32(view, at + 24, request.inSize, "in_size")
  setU32(view, at + 28, request.outSize, "out_size")
  if (request.data.length !== request.inSize) refuseLength("in_size", request.inSize, request.data)
  writer.data(request.data)
  return 0
}

const decodePoll = (f: Frame): M.PollRequest => {
  const { args, header, view } = f
  return {
    op: "poll",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    kh: getU64(view, args + 8),
    flags: view.getUint32(args + 16, true),
    events: view.getUint32(args + 20, true)
  }
}

const encodePoll = (request: M.PollRequest, writer: Writer): number => {
  const at = writer.grow(24)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU64(view, at + 8, request.kh, "kh")
  setU32(view, at + 16, request.flags, "flags")
  setU32(view, at + 20, request.events, "events")
  return 0
}

const decodeNotifyReply = (f: Frame, at: number): M.NotifyReplyRequest | DecodeError => {
  const { args, header, view } = f
  const size = view.getUint32(args + 16, true)
  const data = dataAfter(f, at, size, "data")
  if (isDecodeError(data)) return data
  return {
    op: "notifyReply",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    offset: getU64(view, args + 8),
    size,
    data
  }
}

const encodeNotifyReply = (request: M.NotifyReplyRequest, writer: Writer): number => {
  const at = writer.grow(40)
  const { view } = writer
  setU64(view, at + 8, request.offset, "offset")
  setU32(view, at + 16, request.size, "size")
  if (request.data.length !== request.size) refuseLength("size", request.size, request.data)
  writer.data(request.data)
  return 0
}

const decodeBatchForget = (f: Frame, at: number): M.BatchForgetRequest | DecodeError => {
  const { args, header, view } = f
  const count = view.getUint32(args, true)
  if (f.end - at !== count * 16) return badCount(f, at, count, "nodes")
  const forgets: Array<{ readonly nodeid: U64; readonly nlookup: U64 }> = []
  for (let one = at; one < f.end; one += 16) forgets.push({ nodeid: getU64(view, one), nlookup: getU64(view, one + 8) })
  return {
    op: "batchForget",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    forgets
  }
}

const encodeBatchForget = (request: M.BatchForgetRequest, writer: Writer): number => {
  const at = writer.grow(8)
  const { view } = writer
  setU32(view, at, request.forgets.length, "count")
  for (const one of request.forgets) {
    const at = writer.grow(16)
    const { view } = writer
    setU64(view, at, one.nodeid, "nodeid")
    setU64(view, at + 8, one.nlookup, "nlookup")
  }
  return 0
}

const decodeFallocate = (f: Frame): M.FallocateRequest => {
  const { args, header, view } = f
  return {
    op: "fallocate",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    offset: getU64(view, args + 8),
    length: getU64(view, args + 16),
    mode: view.getUint32(args + 24, true)
  }
}

const encodeFallocate = (request: M.FallocateRequest, writer: Writer): number => {
  const at = writer.grow(32)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU64(view, at + 8, request.offset, "offset")
  setU64(view, at + 16, request.length, "length")
  setU32(view, at + 24, request.mode, "mode")
  return 0
}

const decodeReaddirplus = (f: Frame): M.ReaddirplusRequest => {
  const { args, header, view } = f
  return {
    op: "readdirplus",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    offset: getU64(view, args + 8),
    size: view.getUint32(args + 16, true),
    readFlags: view.getUint32(args + 20, true),
    lockOwner: getU64(view, args + 24),
    flags: view.getUint32(args + 32, true)
  }
}

const encodeReaddirplus = (request: M.ReaddirplusRequest, writer: Writer): number => {
  const at = writer.grow(40)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU64(view, at + 8, request.offset, "offset")
  setU32(view, at + 16, request.size, "size")
  setU32(view, at + 20, request.readFlags, "read_flags")
  setU64(view, at + 24, request.lockOwner, "lock_owner")
  setU32(view, at + 32, request.flags, "flags")
  return 0
}

const decodeRename2 = (f: Frame, at: number): M.RenameRequest | DecodeError => {
  const { args, header, view } = f
  const nameEnd = findNul(f.bytes, at, f.end)
  const name = nameEnd < 0 ? undefined : readName(f.bytes, at, nameEnd)
  if (name === undefined) return badName(f, "oldname", at)
  const newname = lastName(f, nameEnd + 1, f.end)
  if (newname === undefined) return badName(f, "newname", nameEnd + 1)
  return {
    op: "rename",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    name,
    newname,
    newdir: getU64(view, args),
    flags: view.getUint32(args + 8, true)
  }
}

const encodeRename2 = (request: M.RenameRequest, writer: Writer): number => {
  const at = writer.grow(16)
  const { view } = writer
  setU64(view, at, request.newdir, "newdir")
  setU32(view, at + 8, request.flags, "flags")
  writer.terminated(nameBytes(request.name))
  writer.terminated(nameBytes(request.newname))
  return 0
}

const decodeLseek = (f: Frame): M.LseekRequest => {
  const { args, header, view } = f
  return {
    op: "lseek",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    offset: getU64(view, args + 8),
    whence: view.getUint32(args + 16, true)
  }
}

const encodeLseek = (request: M.LseekRequest, writer: Writer): number => {
  const at = writer.grow(24)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU64(view, at + 8, request.offset, "offset")
  setU32(view, at + 16, request.whence, "whence")
  return 0
}

const decodeCopyFileRange = (f: Frame): M.CopyFileRangeRequest => {
  const { args, header, view } = f
  return {
    op: "copyFileRange",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    wide: false,
    fhIn: getU64(view, args),
    offIn: getU64(view, args + 8),
    nodeidOut: getU64(view, args + 16),
    fhOut: getU64(view, args + 24),
    offOut: getU64(view, args + 32),
    len: getU64(view, args + 40),
    flags: getU64(view, args + 48)
  }
}

const encodeCopyFileRange = (request: M.CopyFileRangeRequest, writer: Writer): number => {
  const at = writer.grow(56)
  const { view } = writer
  setU64(view, at, request.fhIn, "fh_in")
  setU64(view, at + 8, request.offIn, "off_in")
  setU64(view, at + 16, request.nodeidOut, "nodeid_out")
  setU64(view, at + 24, request.fhOut, "fh_out")
  setU64(view, at + 32, request.offOut, "off_out")
  setU64(view, at + 40, request.len, "len")
  setU64(view, at + 48, request.flags, "flags")
  return 0
}

const decodeSetupmapping = (f: Frame): M.SetupmappingRequest => {
  const { args, header, view } = f
  return {
    op: "setupmapping",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args),
    foffset: getU64(view, args + 8),
    len: getU64(view, args + 16),
    flags: getU64(view, args + 24),
    moffset: getU64(view, args + 32)
  }
}

const encodeSetupmapping = (request: M.SetupmappingRequest, writer: Writer): number => {
  const at = writer.grow(40)
  const { view } = writer
  setU64(view, at, request.fh, "fh")
  setU64(view, at + 8, request.foffset, "foffset")
  setU64(view, at + 16, request.len, "len")
  setU64(view, at + 24, request.flags, "flags")
  setU64(view, at + 32, request.moffset, "moffset")
  return 0
}

const decodeRemovemapping = (f: Frame, at: number): M.RemovemappingRequest | DecodeError => {
  const { args, header, view } = f
  const count = view.getUint32(args, true)
  if (f.end - at !== count * 16) return badCount(f, at, count, "mappings")
  const mappings: Array<{ readonly moffset: U64; readonly len: U64 }> = []
  for (let one = at; one < f.end; one += 16) mappings.push({ moffset: getU64(view, one), len: getU64(view, one + 8) })
  return {
    op: "removemapping",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    mappings
  }
}

const encodeRemovemapping = (request: M.RemovemappingRequest, writer: Writer): number => {
  const at = writer.grow(4)
  const { view } = writer
  setU32(view, at, request.mappings.length, "count")
  for (const one of request.mappings) {
    const at = writer.grow(16)
    const { view } = writer
    setU64(view, at, one.moffset, "moffset")
    setU64(view, at + 8, one.len, "len")
  }
  return 0
}

const decodeSyncfs = (f: Frame): M.SyncfsRequest => {
  const { header, view } = f
  return {
    op: "syncfs",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true)
  }
}

const encodeSyncfs = (_request: M.SyncfsRequest, writer: Writer): number => {
  writer.grow(8)
  return 0
}

const decodeTmpfile = (f: Frame, at: number): M.TmpfileRequest | DecodeError => {
  const { args, header, view } = f
  const end = extensionsAt(f)
  if (end < at) return badExtensions(f)
  const name = lastPath(f, at, end)
  if (name === undefined) return badPath(f, "name", at)
  return extended<M.TmpfileRequest>(f, end, {
    op: "tmpfile",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    name,
    flags: view.getUint32(args, true),
    mode: view.getUint32(args + 4, true),
    umask: view.getUint32(args + 8, true),
    openFlags: view.getUint32(args + 12, true)
  })
}

const encodeTmpfile = (request: M.TmpfileRequest, writer: Writer): number => {
  const at = writer.grow(16)
  const { view } = writer
  setU32(view, at, request.flags, "flags")
  setU32(view, at + 4, request.mode, "mode")
  setU32(view, at + 8, request.umask, "umask")
  setU32(view, at + 12, request.openFlags, "open_flags")
  writer.terminated(pathBytes(request.name, "name"))
  return appendExtensions(writer, request)
}

const decodeStatx = (f: Frame): M.StatxRequest => {
  const { args, header, view } = f
  return {
    op: "statx",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    fh: getU64(view, args + 8),
    getattrFlags: view.getUint32(args, true),
    sxFlags: view.getUint32(args + 16, true),
    sxMask: view.getUint32(args + 20, true)
  }
}

const encodeStatx = (request: M.StatxRequest, writer: Writer): number => {
  const at = writer.grow(24)
  const { view } = writer
  setU64(view, at + 8, request.fh, "fh")
  setU32(view, at, request.getattrFlags, "getattr_flags")
  setU32(view, at + 16, request.sxFlags, "sx_flags")
  setU32(view, at + 20, request.sxMask, "sx_mask")
  return 0
}

const decodeCopyFileRange64 = (f: Frame): M.CopyFileRangeRequest => {
  const { args, header, view } = f
  return {
    op: "copyFileRange",
    unique: getU64(view, header + 8),
    nodeid: getU64(view, header + 16),
    uid: view.getUint32(header + 24, true),
    gid: view.getUint32(header + 28, true),
    pid: view.getUint32(header + 32, true),
    wide: true,
    fhIn: getU64(view, args),
    offIn: getU64(view, args + 8),
    nodeidOut: getU64(view, args + 16),
    fhOut: getU64(view, args + 24),
    offOut: getU64(view, args + 32),
    len: getU64(view, args + 40),
    flags: getU64(view, args + 48)
  }
}

const encodeCopyFileRange64 = (request: M.CopyFileRangeRequest, writer: Writer): number => {
  const at = writer.grow(56)
  const { view } = writer
  setU64(view, at, request.fhIn, "fh_in")
  setU64(view, at + 8, request.offIn, "off_in")
  setU64(view, at + 16, request.nodeidOut, "nodeid_out")
  setU64(view, at + 24, request.fhOut, "fh_out")
  setU64(view, at + 32, request.offOut, "off_out")
  setU64(view, at + 40, request.len, "len")
  setU64(view, at + 48, request.flags, "flags")
  return 0
}

/**
 * By the opcode's name, without `FUSE_`. `since`: the minor version of protocol 7 in which it appeared. `enosysIsStickySince`:
 * the one from which the kernel remembers ENOSYS; infinite where it never does.
 */
export const requestCodecs = {
  LOOKUP: { op: "lookup", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 0, argsSizeOf: undefined, exact: false, decode: decodeLookup, encode: encodeLookup },
  FORGET: { op: "forget", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 8, argsSizeOf: undefined, exact: true, decode: decodeForget, encode: encodeForget },
  GETATTR: { op: "getattr", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 16, argsSizeOf: undefined, exact: true, decode: decodeGetattr, encode: encodeGetattr },
  SETATTR: { op: "setattr", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 88, argsSizeOf: undefined, exact: true, decode: decodeSetattr, encode: encodeSetattr },
  READLINK: { op: "readlink", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 0, argsSizeOf: undefined, exact: true, decode: decodeReadlink, encode: encodeReadlink },
  SYMLINK: { op: "symlink", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 0, argsSizeOf: undefined, exact: false, decode: decodeSymlink, encode: encodeSymlink },
  MKNOD: { op: "mknod", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 16, argsSizeOf: undefined, exact: false, decode: decodeMknod, encode: encodeMknod },
  MKDIR: { op: "mkdir", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 8, argsSizeOf: undefined, exact: false, decode: decodeMkdir, encode: encodeMkdir },
  UNLINK: { op: "unlink", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 0, argsSizeOf: undefined, exact: false, decode: decodeUnlink, encode: encodeUnlink },
  RMDIR: { op: "rmdir", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 0, argsSizeOf: undefined, exact: false, decode: decodeRmdir, encode: encodeRmdir },
  RENAME: { op: "rename", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 8, argsSizeOf: undefined, exact: false, decode: decodeRename, encode: encodeRename },
  LINK: { op: "link", since: 1, enosysIsStickySince: 45, tested: true, argsSize: 8, argsSizeOf: undefined, exact: false, decode: decodeLink, encode: encodeLink },
  OPEN: { op: "open", since: 1, enosysIsStickySince: 23, tested: true, argsSize: 8, argsSizeOf: undefined, exact: true, decode: decodeOpen, encode: encodeOpen },
  READ: { op: "read", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 40, argsSizeOf: undefined, exact: true, decode: decodeRead, encode: encodeRead },
  WRITE: { op: "write", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 40, argsSizeOf: undefined, exact: false, decode: decodeWrite, encode: encodeWrite },
  STATFS: { op: "statfs", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 0, argsSizeOf: undefined, exact: true, decode: decodeStatfs, encode: encodeStatfs },
  RELEASE: { op: "release", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 24, argsSizeOf: undefined, exact: true, decode: decodeRelease, encode: encodeRelease },
  FSYNC: { op: "fsync", since: 1, enosysIsStickySince: 0, tested: true, argsSize: 16, argsSizeOf: undefined, exact: true, decode: decodeFsync, encode: encodeFsync },
  SETXATTR: { op: "setxattr", since: 1, enosysIsStickySince: 0, tested: true, argsSize: 8, argsSizeOf: (version: Version | undefined) => version?.setxattrExt === true ? 16 : 8, exact: false, decode: decodeSetxattr, encode: encodeSetxattr },
  GETXATTR: { op: "getxattr", since: 1, enosysIsStickySince: 0, tested: true, argsSize: 8, argsSizeOf: undefined, exact: false, decode: decodeGetxattr, encode: encodeGetxattr },
  LISTXATTR: { op: "listxattr", since: 1, enosysIsStickySince: 0, tested: true, argsSize: 8, argsSizeOf: undefined, exact: true, decode: decodeListxattr, encode: encodeListxattr },
  REMOVEXATTR: { op: "removexattr", since: 1, enosysIsStickySince: 0, tested: true, argsSize: 0, argsSizeOf: undefined, exact: false, decode: decodeRemovexattr, encode: encodeRemovexattr },
  FLUSH: { op: "flush", since: 1, enosysIsStickySince: 0, tested: true, argsSize: 24, argsSizeOf: undefined, exact: true, decode: decodeFlush, encode: encodeFlush },
  INIT: { op: "init", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 16, argsSizeOf: undefined, exact: false, decode: decodeInit, encode: encodeInit },
  OPENDIR: { op: "opendir", since: 1, enosysIsStickySince: 29, tested: true, argsSize: 8, argsSizeOf: undefined, exact: true, decode: decodeOpendir, encode: encodeOpendir },
  READDIR: { op: "readdir", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 40, argsSizeOf: undefined, exact: true, decode: decodeReaddir, encode: encodeReaddir },
  RELEASEDIR: { op: "releasedir", since: 1, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 24, argsSizeOf: undefined, exact: true, decode: decodeReleasedir, encode: encodeReleasedir },
  FSYNCDIR: { op: "fsyncdir", since: 2, enosysIsStickySince: 0, tested: true, argsSize: 16, argsSizeOf: undefined, exact: true, decode: decodeFsyncdir, encode: encodeFsyncdir },
  GETLK: { op: "getlk", since: 7, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 48, argsSizeOf: undefined, exact: true, decode: decodeGetlk, encode: encodeGetlk },
  SETLK: { op: "setlk", since: 7, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 48, argsSizeOf: undefined, exact: true, decode: decodeSetlk, encode: encodeSetlk },
  SETLKW: { op: "setlkw", since: 7, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 48, argsSizeOf: undefined, exact: true, decode: decodeSetlkw, encode: encodeSetlkw },
  ACCESS: { op: "access", since: 3, enosysIsStickySince: 0, tested: true, argsSize: 8, argsSizeOf: undefined, exact: true, decode: decodeAccess, encode: encodeAccess },
  CREATE: { op: "create", since: 3, enosysIsStickySince: 0, tested: true, argsSize: 16, argsSizeOf: undefined, exact: false, decode: decodeCreate, encode: encodeCreate },
  INTERRUPT: { op: "interrupt", since: 7, enosysIsStickySince: 0, tested: true, argsSize: 8, argsSizeOf: undefined, exact: true, decode: decodeInterrupt, encode: encodeInterrupt },
  BMAP: { op: "bmap", since: 8, enosysIsStickySince: 0, tested: true, argsSize: 16, argsSizeOf: undefined, exact: true, decode: decodeBmap, encode: encodeBmap },
  DESTROY: { op: "destroy", since: 8, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 0, argsSizeOf: undefined, exact: true, decode: decodeDestroy, encode: encodeDestroy },
  IOCTL: { op: "ioctl", since: 11, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 32, argsSizeOf: undefined, exact: false, decode: decodeIoctl, encode: encodeIoctl },
  POLL: { op: "poll", since: 11, enosysIsStickySince: 0, tested: true, argsSize: 24, argsSizeOf: undefined, exact: true, decode: decodePoll, encode: encodePoll },
  NOTIFY_REPLY: { op: "notifyReply", since: 15, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 40, argsSizeOf: undefined, exact: false, decode: decodeNotifyReply, encode: encodeNotifyReply },
  BATCH_FORGET: { op: "batchForget", since: 16, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 8, argsSizeOf: undefined, exact: false, decode: decodeBatchForget, encode: encodeBatchForget },
  FALLOCATE: { op: "fallocate", since: 19, enosysIsStickySince: 0, tested: true, argsSize: 32, argsSizeOf: undefined, exact: true, decode: decodeFallocate, encode: encodeFallocate },
  READDIRPLUS: { op: "readdirplus", since: 21, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: true, argsSize: 40, argsSizeOf: undefined, exact: true, decode: decodeReaddirplus, encode: encodeReaddirplus },
  RENAME2: { op: "rename", since: 23, enosysIsStickySince: 0, tested: true, argsSize: 16, argsSizeOf: undefined, exact: false, decode: decodeRename2, encode: encodeRename2 },
  LSEEK: { op: "lseek", since: 24, enosysIsStickySince: 0, tested: true, argsSize: 24, argsSizeOf: undefined, exact: true, decode: decodeLseek, encode: encodeLseek },
  COPY_FILE_RANGE: { op: "copyFileRange", since: 28, enosysIsStickySince: 0, tested: true, argsSize: 56, argsSizeOf: undefined, exact: true, decode: decodeCopyFileRange, encode: encodeCopyFileRange },
  SETUPMAPPING: { op: "setupmapping", since: 31, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: false, argsSize: 40, argsSizeOf: undefined, exact: true, decode: decodeSetupmapping, encode: encodeSetupmapping },
  REMOVEMAPPING: { op: "removemapping", since: 31, enosysIsStickySince: Number.POSITIVE_INFINITY, tested: false, argsSize: 4, argsSizeOf: undefined, exact: false, decode: decodeRemovemapping, encode: encodeRemovemapping },
  SYNCFS: { op: "syncfs", since: 34, enosysIsStickySince: 0, tested: true, argsSize: 8, argsSizeOf: undefined, exact: true, decode: decodeSyncfs, encode: encodeSyncfs },
  TMPFILE: { op: "tmpfile", since: 37, enosysIsStickySince: 0, tested: true, argsSize: 16, argsSizeOf: undefined, exact: false, decode: decodeTmpfile, encode: encodeTmpfile },
  STATX: { op: "statx", since: 39, enosysIsStickySince: 0, tested: true, argsSize: 24, argsSizeOf: undefined, exact: true, decode: decodeStatx, encode: encodeStatx },
  COPY_FILE_RANGE_64: { op: "copyFileRange", since: 45, enosysIsStickySince: 0, tested: true, argsSize: 56, argsSizeOf: undefined, exact: true, decode: decodeCopyFileRange64, encode: encodeCopyFileRange64 }
} as const
