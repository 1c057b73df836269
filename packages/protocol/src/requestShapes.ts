/**
 * How a request's arguments lie in a frame, and back. Several opcodes share a shape; the table says which
 * has which. A decoder makes one object, its fields always in the same order. A name or extension is
 * copied out of the frame; data is a view into it.
 */
import { isDecodeError, malformedRequest } from "./decodeError.ts"
import { extensionBytesOf, type Frame, gidOf, nodeidOf, pidOf, uidOf, uniqueOf } from "./frame.ts"
import { readExtensions, writeExtensions } from "./extensions.ts"
import type { Version } from "./init.ts"
import type * as M from "./messages.ts"
import type { DecodeError, Name, Request, U64 } from "./messages.ts"
import { findNul, nameBytes, pathBytes, readName, readPath } from "./name.ts"
import { refuse } from "./refusal.ts"
import * as structs from "./generated/structs.ts"
import { getS64, getU64 } from "./u64.ts"
import type { Writer } from "./writer.ts"

// Copies, as generated/structs.ts asks for.
const S = { ...structs }

export interface RequestShape<R extends Request> {
  /** Bytes of the first argument struct; 0 when there is none. */
  readonly argsSize: number
  /** Where the struct's size depends on what was agreed on. */
  readonly argsSizeOf?: (version: Version | undefined) => number
  /** Nothing follows the struct. */
  readonly exact: boolean
  /** `at` is where what follows the struct begins; the struct is there in full. */
  decode(frame: Frame, at: number, version: Version | undefined): R | DecodeError
  /** Appends the body. Returns the units of 8 bytes that are extensions. */
  encode(request: R, writer: Writer, version: Version | undefined): number
}

const u32 = (frame: Frame, at: number): number => frame.view.getUint32(frame.args + at, true)
const u64 = (frame: Frame, at: number): U64 => getU64(frame.view, frame.args + at)

/** The terminated name that is the rest of the frame up to `end`, its NUL the last byte. */
const lastName = (frame: Frame, at: number, end: number): Name | undefined =>
  end > at && frame.bytes[end - 1] === 0 ? readName(frame.bytes, at, end - 1) : undefined

const badName = (frame: Frame, field: string, at: number): DecodeError =>
  malformedRequest(frame, field, at, "not a name that a NUL ends: empty, cut short, or with a NUL or `/` inside")

/** Where a creation's extensions begin: at the frame's end when there are none. */
const extensionsAt = (frame: Frame): number => frame.end - extensionBytesOf(frame)

const badExtensions = (frame: Frame): DecodeError =>
  malformedRequest(frame, "total_extlen", frame.header + S.inHeader.totalExtlen, `${extensionBytesOf(frame)} bytes do not fit in the frame`)

/** `base` with the extensions that begin at `from`. */
const extended = <R extends Request & { readonly extensions?: M.Extensions }>(frame: Frame, from: number, base: R): R | DecodeError => {
  if (from === frame.end) return base
  const extensions = readExtensions(frame, from)
  if (extensions === undefined) return base
  return isDecodeError(extensions) ? extensions : { ...base, extensions }
}

const appendExtensions = (writer: Writer, request: { readonly extensions?: M.Extensions }): number =>
  request.extensions === undefined ? 0 : writeExtensions(writer, request.extensions)

const dataAfter = (frame: Frame, at: number, size: number, field: string): Uint8Array | DecodeError =>
  frame.end - at === size
    ? frame.apart ?? frame.bytes.subarray(at, frame.end)
    : malformedRequest(frame, field, at, `${size} bytes promised, ${frame.end - at} there`)

/** No arguments at all. */
export const noArgs = <const Op extends string>(op: Op) => ({
  argsSize: 0,
  exact: true,
  decode: (f: Frame) => ({ op, unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f) }),
  encode: () => 0
})

// Apart from the shapes of the operations that share it: one function, for which V8 knows all that it refers to.
const decodeNameOnly = <const Op extends string>(op: Op, f: Frame, at: number) => {
  const name = lastName(f, at, f.end)
  if (name === undefined) return badName(f, "name", at)
  return { op, unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f), name }
}

/** Only a name in the directory `nodeid`. */
export const nameOnly = <const Op extends string>(op: Op) => ({
  argsSize: 0,
  exact: false,
  decode: (f: Frame, at: number) => decodeNameOnly(op, f, at),
  encode: (request: { readonly name: Name }, writer: Writer) => {
    writer.terminated(nameBytes(request.name))
    return 0
  }
})

export const forget: RequestShape<M.ForgetRequest> = {
  argsSize: S.forgetIn.bytes,
  exact: true,
  decode: (f) => ({
    op: "forget", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    nlookup: u64(f, S.forgetIn.nlookup)
  }),
  encode: (request, writer) => {
    writer.u64(request.nlookup, "nlookup")
    return 0
  }
}

export const batchForget: RequestShape<M.BatchForgetRequest> = {
  argsSize: S.batchForgetIn.bytes,
  exact: false,
  decode: (f, at) => {
    const count = u32(f, S.batchForgetIn.count)
    if (f.end - at !== count * S.forgetOne.bytes) {
      return malformedRequest(f, "count", f.args, `${count} nodes promised, ${f.end - at} bytes there`)
    }
    const forgets: Array<{ readonly nodeid: U64; readonly nlookup: U64 }> = []
    for (let one = at; one < f.end; one += S.forgetOne.bytes) {
      forgets.push({ nodeid: getU64(f.view, one + S.forgetOne.nodeid), nlookup: getU64(f.view, one + S.forgetOne.nlookup) })
    }
    return { op: "batchForget", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f), forgets }
  },
  encode: (request, writer) => {
    writer.u32(request.forgets.length, "count")
    writer.u32(0, "dummy")
    for (const { nlookup, nodeid } of request.forgets) {
      writer.u64(nodeid, "nodeid")
      writer.u64(nlookup, "nlookup")
    }
    return 0
  }
}

export const getattr: RequestShape<M.GetattrRequest> = {
  argsSize: S.getattrIn.bytes,
  exact: true,
  decode: (f) => ({
    op: "getattr", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    fh: u64(f, S.getattrIn.fh),
    getattrFlags: u32(f, S.getattrIn.getattrFlags)
  }),
  encode: (request, writer) => {
    writer.u32(request.getattrFlags, "getattr_flags")
    writer.u32(0, "dummy")
    writer.u64(request.fh, "fh")
    return 0
  }
}

const timeOf = (f: Frame, sec: number, nsec: number): M.Timespec => ({ sec: getS64(f.view, f.args + sec), nsec: u32(f, nsec) })

export const setattr: RequestShape<M.SetattrRequest> = {
  argsSize: S.setattrIn.bytes,
  exact: true,
  decode: (f) => ({
    op: "setattr", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    fh: u64(f, S.setattrIn.fh),
    valid: u32(f, S.setattrIn.valid),
    size: u64(f, S.setattrIn.size),
    lockOwner: u64(f, S.setattrIn.lockOwner),
    atime: timeOf(f, S.setattrIn.atime, S.setattrIn.atimensec),
    mtime: timeOf(f, S.setattrIn.mtime, S.setattrIn.mtimensec),
    ctime: timeOf(f, S.setattrIn.ctime, S.setattrIn.ctimensec),
    mode: u32(f, S.setattrIn.mode),
    newUid: u32(f, S.setattrIn.uid),
    newGid: u32(f, S.setattrIn.gid)
  }),
  encode: (request, writer) => {
    writer.u32(request.valid, "valid")
    writer.u32(0, "padding")
    writer.u64(request.fh, "fh")
    writer.u64(request.size, "size")
    writer.u64(request.lockOwner, "lock_owner")
    writer.s64(request.atime.sec, "atime")
    writer.s64(request.mtime.sec, "mtime")
    writer.s64(request.ctime.sec, "ctime")
    writer.u32(request.atime.nsec, "atime")
    writer.u32(request.mtime.nsec, "mtime")
    writer.u32(request.ctime.nsec, "ctime")
    writer.u32(request.mode, "mode")
    writer.u32(0, "unused4")
    writer.u32(request.newUid, "uid")
    writer.u32(request.newGid, "gid")
    writer.u32(0, "unused5")
    return 0
  }
}

/** Two names: the link's own, then what it says. */
export const symlink: RequestShape<M.SymlinkRequest> = {
  argsSize: 0,
  exact: false,
  decode: (f, at) => {
    const end = extensionsAt(f)
    if (end < at) return badExtensions(f)
    const nul = findNul(f.bytes, at, end)
    const name = nul < 0 ? undefined : readName(f.bytes, at, nul)
    if (name === undefined) return badName(f, "name", at)
    const target = f.bytes[end - 1] === 0 ? readPath(f.bytes, nul + 1, end - 1) : undefined
    if (target === undefined) return malformedRequest(f, "target", nul + 1, "not a path that a NUL ends")
    const request: M.SymlinkRequest = {
      op: "symlink", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
      name,
      target
    }
    return extended(f, end, request)
  },
  encode: (request, writer) => {
    writer.terminated(nameBytes(request.name))
    writer.terminated(pathBytes(request.target, "target"))
    return appendExtensions(writer, request)
  }
}

export const mknod: RequestShape<M.MknodRequest> = {
  argsSize: S.mknodIn.bytes,
  exact: false,
  decode: (f, at) => {
    const end = extensionsAt(f)
    if (end < at) return badExtensions(f)
    const name = lastName(f, at, end)
    if (name === undefined) return badName(f, "name", at)
    const request: M.MknodRequest = {
      op: "mknod", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
      name,
      mode: u32(f, S.mknodIn.mode),
      rdev: u32(f, S.mknodIn.rdev),
      umask: u32(f, S.mknodIn.umask)
    }
    return extended(f, end, request)
  },
  encode: (request, writer) => {
    writer.u32(request.mode, "mode")
    writer.u32(request.rdev, "rdev")
    writer.u32(request.umask, "umask")
    writer.u32(0, "padding")
    writer.terminated(nameBytes(request.name))
    return appendExtensions(writer, request)
  }
}

export const mkdir: RequestShape<M.MkdirRequest> = {
  argsSize: S.mkdirIn.bytes,
  exact: false,
  decode: (f, at) => {
    const end = extensionsAt(f)
    if (end < at) return badExtensions(f)
    const name = lastName(f, at, end)
    if (name === undefined) return badName(f, "name", at)
    const request: M.MkdirRequest = {
      op: "mkdir", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
      name,
      mode: u32(f, S.mkdirIn.mode),
      umask: u32(f, S.mkdirIn.umask)
    }
    return extended(f, end, request)
  },
  encode: (request, writer) => {
    writer.u32(request.mode, "mode")
    writer.u32(request.umask, "umask")
    writer.terminated(nameBytes(request.name))
    return appendExtensions(writer, request)
  }
}

const twoNames = (f: Frame, at: number, newdir: U64, flags: number): M.RenameRequest | DecodeError => {
  const nul = findNul(f.bytes, at, f.end)
  const name = nul < 0 ? undefined : readName(f.bytes, at, nul)
  if (name === undefined) return badName(f, "oldname", at)
  const newname = lastName(f, nul + 1, f.end)
  if (newname === undefined) return badName(f, "newname", nul + 1)
  return {
    op: "rename", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    name,
    newdir,
    newname,
    flags
  }
}

export const rename: RequestShape<M.RenameRequest> = {
  argsSize: S.renameIn.bytes,
  exact: false,
  decode: (f, at) => twoNames(f, at, u64(f, S.renameIn.newdir), 0),
  encode: (request, writer) => {
    writer.u64(request.newdir, "newdir")
    writer.terminated(nameBytes(request.name))
    writer.terminated(nameBytes(request.newname))
    return 0
  }
}

export const rename2: RequestShape<M.RenameRequest> = {
  argsSize: S.rename2In.bytes,
  exact: false,
  decode: (f, at) => twoNames(f, at, u64(f, S.rename2In.newdir), u32(f, S.rename2In.flags)),
  encode: (request, writer) => {
    writer.u64(request.newdir, "newdir")
    writer.u32(request.flags, "flags")
    writer.u32(0, "padding")
    writer.terminated(nameBytes(request.name))
    writer.terminated(nameBytes(request.newname))
    return 0
  }
}

export const link: RequestShape<M.LinkRequest> = {
  argsSize: S.linkIn.bytes,
  exact: false,
  decode: (f, at) => {
    const newname = lastName(f, at, f.end)
    if (newname === undefined) return badName(f, "newname", at)
    return {
      op: "link", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
      oldnodeid: u64(f, S.linkIn.oldnodeid),
      newname
    }
  },
  encode: (request, writer) => {
    writer.u64(request.oldnodeid, "oldnodeid")
    writer.terminated(nameBytes(request.newname))
    return 0
  }
}

/** OPEN, OPENDIR. */
export const opening = <const Op extends string>(op: Op) => ({
  argsSize: S.openIn.bytes,
  exact: true,
  decode: (f: Frame) => ({
    op, unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    flags: u32(f, S.openIn.flags),
    openFlags: u32(f, S.openIn.openFlags)
  }),
  encode: (request: { readonly flags: number; readonly openFlags: number }, writer: Writer) => {
    writer.u32(request.flags, "flags")
    writer.u32(request.openFlags, "open_flags")
    return 0
  }
})

const decodeReading = <const Op extends string>(op: Op, f: Frame) => ({
  op, unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
  fh: u64(f, S.readIn.fh),
  offset: u64(f, S.readIn.offset),
  size: u32(f, S.readIn.size),
  readFlags: u32(f, S.readIn.readFlags),
  lockOwner: u64(f, S.readIn.lockOwner),
  flags: u32(f, S.readIn.flags)
})

/** READ, READDIR, READDIRPLUS. */
export const reading = <const Op extends string>(op: Op) => ({
  argsSize: S.readIn.bytes,
  exact: true,
  decode: (f: Frame) => decodeReading(op, f),
  encode: (request: Omit<M.ReadRequest, "op">, writer: Writer) => {
    writer.u64(request.fh, "fh")
    writer.u64(request.offset, "offset")
    writer.u32(request.size, "size")
    writer.u32(request.readFlags, "read_flags")
    writer.u64(request.lockOwner, "lock_owner")
    writer.u32(request.flags, "flags")
    writer.u32(0, "padding")
    return 0
  }
})

export const write: RequestShape<M.WriteRequest> = {
  argsSize: S.writeIn.bytes,
  exact: false,
  decode: (f, at) => {
    const size = u32(f, S.writeIn.size)
    const data = dataAfter(f, at, size, "data")
    if (isDecodeError(data)) return data
    return {
      op: "write", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
      fh: u64(f, S.writeIn.fh),
      offset: u64(f, S.writeIn.offset),
      size,
      writeFlags: u32(f, S.writeIn.writeFlags),
      lockOwner: u64(f, S.writeIn.lockOwner),
      flags: u32(f, S.writeIn.flags),
      data
    }
  },
  encode: (request, writer) => {
    if (request.data.length !== request.size) refuse("EIO", `size is ${request.size}, the data has ${request.data.length} bytes`)
    writer.u64(request.fh, "fh")
    writer.u64(request.offset, "offset")
    writer.u32(request.size, "size")
    writer.u32(request.writeFlags, "write_flags")
    writer.u64(request.lockOwner, "lock_owner")
    writer.u32(request.flags, "flags")
    writer.u32(0, "padding")
    writer.data(request.data)
    return 0
  }
}

/** RELEASE, RELEASEDIR. */
export const releasing = <const Op extends string>(op: Op) => ({
  argsSize: S.releaseIn.bytes,
  exact: true,
  decode: (f: Frame) => ({
    op, unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    fh: u64(f, S.releaseIn.fh),
    flags: u32(f, S.releaseIn.flags),
    releaseFlags: u32(f, S.releaseIn.releaseFlags),
    lockOwner: u64(f, S.releaseIn.lockOwner)
  }),
  encode: (request: Omit<M.ReleaseRequest, "op">, writer: Writer) => {
    writer.u64(request.fh, "fh")
    writer.u32(request.flags, "flags")
    writer.u32(request.releaseFlags, "release_flags")
    writer.u64(request.lockOwner, "lock_owner")
    return 0
  }
})

/** FSYNC, FSYNCDIR. */
export const fsyncing = <const Op extends string>(op: Op) => ({
  argsSize: S.fsyncIn.bytes,
  exact: true,
  decode: (f: Frame) => ({
    op, unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    fh: u64(f, S.fsyncIn.fh),
    fsyncFlags: u32(f, S.fsyncIn.fsyncFlags)
  }),
  encode: (request: Omit<M.FsyncRequest, "op">, writer: Writer) => {
    writer.u64(request.fh, "fh")
    writer.u32(request.fsyncFlags, "fsync_flags")
    writer.u32(0, "padding")
    return 0
  }
})

/** FUSE_COMPAT_SETXATTR_IN_SIZE: what it was before 7.33, and still is without FUSE_SETXATTR_EXT. */
const compatSetxattrSize = 8
const setxattrSize = (version: Version | undefined): number => version?.setxattrExt === true ? S.setxattrIn.bytes : compatSetxattrSize

export const setxattr: RequestShape<M.SetxattrRequest> = {
  argsSize: S.setxattrIn.bytes,
  argsSizeOf: setxattrSize,
  exact: false,
  decode: (f, at, version) => {
    const nul = findNul(f.bytes, at, f.end)
    const name = nul < 0 ? undefined : readPath(f.bytes, at, nul)
    if (name === undefined) return badName(f, "name", at)
    const value = dataAfter(f, nul + 1, u32(f, S.setxattrIn.size), "value")
    if (isDecodeError(value)) return value
    return {
      op: "setxattr", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
      name,
      flags: u32(f, S.setxattrIn.flags),
      setxattrFlags: setxattrSize(version) === compatSetxattrSize ? 0 : u32(f, S.setxattrIn.setxattrFlags),
      value
    }
  },
  encode: (request, writer, version) => {
    writer.u32(request.value.length, "size")
    writer.u32(request.flags, "flags")
    if (setxattrSize(version) !== compatSetxattrSize) {
      writer.u32(request.setxattrFlags, "setxattr_flags")
      writer.u32(0, "padding")
    }
    writer.terminated(pathBytes(request.name, "an attribute's name"))
    writer.data(request.value)
    return 0
  }
}

/** An attribute's name may hold a `/`. */
const attributeName = (f: Frame, at: number): Name | undefined =>
  f.end > at && f.bytes[f.end - 1] === 0 ? readPath(f.bytes, at, f.end - 1) : undefined

export const getxattr: RequestShape<M.GetxattrRequest> = {
  argsSize: S.getxattrIn.bytes,
  exact: false,
  decode: (f, at) => {
    const name = attributeName(f, at)
    if (name === undefined) return badName(f, "name", at)
    return {
      op: "getxattr", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
      name,
      size: u32(f, S.getxattrIn.size)
    }
  },
  encode: (request, writer) => {
    writer.u32(request.size, "size")
    writer.u32(0, "padding")
    writer.terminated(pathBytes(request.name, "an attribute's name"))
    return 0
  }
}

export const listxattr: RequestShape<M.ListxattrRequest> = {
  argsSize: S.getxattrIn.bytes,
  exact: true,
  decode: (f) => ({
    op: "listxattr", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    size: u32(f, S.getxattrIn.size)
  }),
  encode: (request, writer) => {
    writer.u32(request.size, "size")
    writer.u32(0, "padding")
    return 0
  }
}

export const removexattr: RequestShape<M.RemovexattrRequest> = {
  argsSize: 0,
  exact: false,
  decode: (f, at) => {
    const name = attributeName(f, at)
    if (name === undefined) return badName(f, "name", at)
    return { op: "removexattr", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f), name }
  },
  encode: (request, writer) => {
    writer.terminated(pathBytes(request.name, "an attribute's name"))
    return 0
  }
}

export const flush: RequestShape<M.FlushRequest> = {
  argsSize: S.flushIn.bytes,
  exact: true,
  decode: (f) => ({
    op: "flush", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    fh: u64(f, S.flushIn.fh),
    lockOwner: u64(f, S.flushIn.lockOwner)
  }),
  encode: (request, writer) => {
    writer.u64(request.fh, "fh")
    writer.u64(0, "unused")
    writer.u64(request.lockOwner, "lock_owner")
    return 0
  }
}

/** Kernels before FUSE_INIT_EXT (7.36) end the struct after `flags`. */
const compatInitSize = 16

export const init: RequestShape<M.InitRequest> = {
  argsSize: compatInitSize,
  exact: false,
  decode: (f, at) => ({
    op: "init", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    major: u32(f, S.initIn.major),
    minor: u32(f, S.initIn.minor),
    maxReadahead: u32(f, S.initIn.maxReadahead),
    flags: u32(f, S.initIn.flags),
    flags2: f.end - at >= 4 ? f.view.getUint32(at, true) : 0
  }),
  encode: (request, writer) => {
    writer.u32(request.major, "major")
    writer.u32(request.minor, "minor")
    writer.u32(request.maxReadahead, "max_readahead")
    writer.u32(request.flags, "flags")
    if (request.minor >= 36) {
      writer.u32(request.flags2, "flags2")
      writer.grow(S.initIn.bytes - S.initIn.unused)
    } else if (request.flags2 !== 0) refuse("EIO", "flags2 needs 7.36")
    return 0
  }
}

/** GETLK, SETLK, SETLKW. */
export const locking = <const Op extends string>(op: Op) => ({
  argsSize: S.lkIn.bytes,
  exact: true,
  decode: (f: Frame) => ({
    op, unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    fh: u64(f, S.lkIn.fh),
    owner: u64(f, S.lkIn.owner),
    lk: {
      start: u64(f, S.lkIn.lk + S.fileLock.start),
      end: u64(f, S.lkIn.lk + S.fileLock.end),
      type: u32(f, S.lkIn.lk + S.fileLock.type),
      pid: u32(f, S.lkIn.lk + S.fileLock.pid)
    },
    lkFlags: u32(f, S.lkIn.lkFlags)
  }),
  encode: (request: Omit<M.SetlkRequest, "op">, writer: Writer) => {
    writer.u64(request.fh, "fh")
    writer.u64(request.owner, "owner")
    writer.u64(request.lk.start, "start")
    writer.u64(request.lk.end, "end")
    writer.u32(request.lk.type, "type")
    writer.u32(request.lk.pid, "pid")
    writer.u32(request.lkFlags, "lk_flags")
    writer.u32(0, "padding")
    return 0
  }
})

export const access: RequestShape<M.AccessRequest> = {
  argsSize: S.accessIn.bytes,
  exact: true,
  decode: (f) => ({
    op: "access", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    mask: u32(f, S.accessIn.mask)
  }),
  encode: (request, writer) => {
    writer.u32(request.mask, "mask")
    writer.u32(0, "padding")
    return 0
  }
}

/** The struct of CREATE and TMPFILE; only the former's name is one. */
const writeCreateIn = (request: Omit<M.CreateRequest, "op">, writer: Writer): void => {
  writer.u32(request.flags, "flags")
  writer.u32(request.mode, "mode")
  writer.u32(request.umask, "umask")
  writer.u32(request.openFlags, "open_flags")
}

export const create: RequestShape<M.CreateRequest> = {
  argsSize: S.createIn.bytes,
  exact: false,
  decode: (f, at) => {
    const end = extensionsAt(f)
    if (end < at) return badExtensions(f)
    const name = lastName(f, at, end)
    if (name === undefined) return badName(f, "name", at)
    const request: M.CreateRequest = {
      op: "create", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
      name,
      flags: u32(f, S.createIn.flags),
      mode: u32(f, S.createIn.mode),
      umask: u32(f, S.createIn.umask),
      openFlags: u32(f, S.createIn.openFlags)
    }
    return extended(f, end, request)
  },
  encode: (request, writer) => {
    writeCreateIn(request, writer)
    writer.terminated(nameBytes(request.name))
    return appendExtensions(writer, request)
  }
}

/** The kernel gives the name `/`. */
export const tmpfile: RequestShape<M.TmpfileRequest> = {
  argsSize: S.createIn.bytes,
  exact: false,
  decode: (f, at) => {
    const end = extensionsAt(f)
    if (end < at) return badExtensions(f)
    const name = end > at && f.bytes[end - 1] === 0 ? readPath(f.bytes, at, end - 1) : undefined
    if (name === undefined) return badName(f, "name", at)
    const request: M.TmpfileRequest = {
      op: "tmpfile", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
      name,
      flags: u32(f, S.createIn.flags),
      mode: u32(f, S.createIn.mode),
      umask: u32(f, S.createIn.umask),
      openFlags: u32(f, S.createIn.openFlags)
    }
    return extended(f, end, request)
  },
  encode: (request, writer) => {
    writeCreateIn(request, writer)
    writer.terminated(pathBytes(request.name, "name"))
    return appendExtensions(writer, request)
  }
}

export const interrupt: RequestShape<M.InterruptRequest> = {
  argsSize: S.interruptIn.bytes,
  exact: true,
  decode: (f) => ({
    op: "interrupt", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    target: u64(f, S.interruptIn.unique)
  }),
  encode: (request, writer) => {
    writer.u64(request.target, "unique")
    return 0
  }
}

export const bmap: RequestShape<M.BmapRequest> = {
  argsSize: S.bmapIn.bytes,
  exact: true,
  decode: (f) => ({
    op: "bmap", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    block: u64(f, S.bmapIn.block),
    blocksize: u32(f, S.bmapIn.blocksize)
  }),
  encode: (request, writer) => {
    writer.u64(request.block, "block")
    writer.u32(request.blocksize, "blocksize")
    writer.u32(0, "padding")
    return 0
  }
}

export const ioctl: RequestShape<M.IoctlRequest> = {
  argsSize: S.ioctlIn.bytes,
  exact: false,
  decode: (f, at) => {
    const inSize = u32(f, S.ioctlIn.inSize)
    const data = dataAfter(f, at, inSize, "data")
    if (isDecodeError(data)) return data
    return {
      op: "ioctl", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
      fh: u64(f, S.ioctlIn.fh),
      flags: u32(f, S.ioctlIn.flags),
      cmd: u32(f, S.ioctlIn.cmd),
      arg: u64(f, S.ioctlIn.arg),
      inSize,
      outSize: u32(f, S.ioctlIn.outSize),
      data
    }
  },
  encode: (request, writer) => {
    if (request.data.length !== request.inSize) refuse("EIO", `in_size is ${request.inSize}, the data has ${request.data.length} bytes`)
    writer.u64(request.fh, "fh")
    writer.u32(request.flags, "flags")
    writer.u32(request.cmd, "cmd")
    writer.u64(request.arg, "arg")
    writer.u32(request.inSize, "in_size")
    writer.u32(request.outSize, "out_size")
    writer.data(request.data)
    return 0
  }
}

export const poll: RequestShape<M.PollRequest> = {
  argsSize: S.pollIn.bytes,
  exact: true,
  decode: (f) => ({
    op: "poll", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    fh: u64(f, S.pollIn.fh),
    kh: u64(f, S.pollIn.kh),
    flags: u32(f, S.pollIn.flags),
    // Padding before 7.21, and zero then.
    events: u32(f, S.pollIn.events)
  }),
  encode: (request, writer) => {
    writer.u64(request.fh, "fh")
    writer.u64(request.kh, "kh")
    writer.u32(request.flags, "flags")
    writer.u32(request.events, "events")
    return 0
  }
}

/** The header's `unique` is the RETRIEVE's `notifyUnique`. */
export const notifyReply: RequestShape<M.NotifyReplyRequest> = {
  argsSize: S.notifyRetrieveIn.bytes,
  exact: false,
  decode: (f, at) => {
    const size = u32(f, S.notifyRetrieveIn.size)
    const data = dataAfter(f, at, size, "data")
    if (isDecodeError(data)) return data
    return {
      op: "notifyReply", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
      offset: u64(f, S.notifyRetrieveIn.offset),
      size,
      data
    }
  },
  encode: (request, writer) => {
    if (request.data.length !== request.size) refuse("EIO", `size is ${request.size}, the data has ${request.data.length} bytes`)
    writer.u64(0, "dummy1")
    writer.u64(request.offset, "offset")
    writer.u32(request.size, "size")
    writer.grow(S.notifyRetrieveIn.bytes - S.notifyRetrieveIn.dummy2)
    writer.data(request.data)
    return 0
  }
}

export const fallocate: RequestShape<M.FallocateRequest> = {
  argsSize: S.fallocateIn.bytes,
  exact: true,
  decode: (f) => ({
    op: "fallocate", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    fh: u64(f, S.fallocateIn.fh),
    offset: u64(f, S.fallocateIn.offset),
    length: u64(f, S.fallocateIn.length),
    mode: u32(f, S.fallocateIn.mode)
  }),
  encode: (request, writer) => {
    writer.u64(request.fh, "fh")
    writer.u64(request.offset, "offset")
    writer.u64(request.length, "length")
    writer.u32(request.mode, "mode")
    writer.u32(0, "padding")
    return 0
  }
}

export const lseek: RequestShape<M.LseekRequest> = {
  argsSize: S.lseekIn.bytes,
  exact: true,
  decode: (f) => ({
    op: "lseek", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    fh: u64(f, S.lseekIn.fh),
    offset: u64(f, S.lseekIn.offset),
    whence: u32(f, S.lseekIn.whence)
  }),
  encode: (request, writer) => {
    writer.u64(request.fh, "fh")
    writer.u64(request.offset, "offset")
    writer.u32(request.whence, "whence")
    writer.u32(0, "padding")
    return 0
  }
}

/** COPY_FILE_RANGE, COPY_FILE_RANGE_64. */
export const copyFileRange = (wide: boolean): RequestShape<M.CopyFileRangeRequest> => ({
  argsSize: S.copyFileRangeIn.bytes,
  exact: true,
  decode: (f) => ({
    op: "copyFileRange", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    wide,
    fhIn: u64(f, S.copyFileRangeIn.fhIn),
    offIn: u64(f, S.copyFileRangeIn.offIn),
    nodeidOut: u64(f, S.copyFileRangeIn.nodeidOut),
    fhOut: u64(f, S.copyFileRangeIn.fhOut),
    offOut: u64(f, S.copyFileRangeIn.offOut),
    len: u64(f, S.copyFileRangeIn.len),
    flags: u64(f, S.copyFileRangeIn.flags)
  }),
  encode: (request, writer) => {
    writer.u64(request.fhIn, "fh_in")
    writer.u64(request.offIn, "off_in")
    writer.u64(request.nodeidOut, "nodeid_out")
    writer.u64(request.fhOut, "fh_out")
    writer.u64(request.offOut, "off_out")
    writer.u64(request.len, "len")
    writer.u64(request.flags, "flags")
    return 0
  }
})

export const setupmapping: RequestShape<M.SetupmappingRequest> = {
  argsSize: S.setupmappingIn.bytes,
  exact: true,
  decode: (f) => ({
    op: "setupmapping", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    fh: u64(f, S.setupmappingIn.fh),
    foffset: u64(f, S.setupmappingIn.foffset),
    len: u64(f, S.setupmappingIn.len),
    flags: u64(f, S.setupmappingIn.flags),
    moffset: u64(f, S.setupmappingIn.moffset)
  }),
  encode: (request, writer) => {
    writer.u64(request.fh, "fh")
    writer.u64(request.foffset, "foffset")
    writer.u64(request.len, "len")
    writer.u64(request.flags, "flags")
    writer.u64(request.moffset, "moffset")
    return 0
  }
}

export const removemapping: RequestShape<M.RemovemappingRequest> = {
  argsSize: S.removemappingIn.bytes,
  exact: false,
  decode: (f, at) => {
    const count = u32(f, S.removemappingIn.count)
    if (f.end - at !== count * S.removemappingOne.bytes) {
      return malformedRequest(f, "count", f.args, `${count} mappings promised, ${f.end - at} bytes there`)
    }
    const mappings: Array<{ readonly moffset: U64; readonly len: U64 }> = []
    for (let one = at; one < f.end; one += S.removemappingOne.bytes) {
      mappings.push({ moffset: getU64(f.view, one + S.removemappingOne.moffset), len: getU64(f.view, one + S.removemappingOne.len) })
    }
    return { op: "removemapping", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f), mappings }
  },
  encode: (request, writer) => {
    writer.u32(request.mappings.length, "count")
    for (const { len, moffset } of request.mappings) {
      writer.u64(moffset, "moffset")
      writer.u64(len, "len")
    }
    return 0
  }
}

export const syncfs: RequestShape<M.SyncfsRequest> = {
  argsSize: S.syncfsIn.bytes,
  exact: true,
  decode: (f) => ({ op: "syncfs", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f) }),
  encode: (_request, writer) => {
    writer.u64(0, "padding")
    return 0
  }
}

export const statx: RequestShape<M.StatxRequest> = {
  argsSize: S.statxIn.bytes,
  exact: true,
  decode: (f) => ({
    op: "statx", unique: uniqueOf(f), nodeid: nodeidOf(f), uid: uidOf(f), gid: gidOf(f), pid: pidOf(f),
    fh: u64(f, S.statxIn.fh),
    getattrFlags: u32(f, S.statxIn.getattrFlags),
    sxFlags: u32(f, S.statxIn.sxFlags),
    sxMask: u32(f, S.statxIn.sxMask)
  }),
  encode: (request, writer) => {
    writer.u32(request.getattrFlags, "getattr_flags")
    writer.u32(0, "reserved")
    writer.u64(request.fh, "fh")
    writer.u32(request.sxFlags, "sx_flags")
    writer.u32(request.sxMask, "sx_mask")
    return 0
  }
}
