/**
 * How a reply's body is written and read back. Several opcodes share a shape; the table says which has
 * which. The writers distrust the backend: what would harm the kernel is refused.
 */
import {
  getAttrReply, getCreated, getEntry, getLock, getOpen, getStatfs, getStatx, putAttrReply, putEntry, putLock, putOpen, putStatfs, putStatx
} from "./attr.ts"
import { ioctlFlags, limits, lockTypes, openReplyFlags } from "./constants.ts"
import type { Cursor } from "./cursor.ts"
import { dataLength, isFileRange, putData, viewsOf } from "./data.ts"
import { packDirentplus, packDirents, readDirentplus, readDirents } from "./dirents.ts"
import type { Memory } from "./frame.ts"
import { encodeInitReply, type Negotiated, readInitReply } from "./init.ts"
import type * as M from "./messages.ts"
import type { Data, FileRange, Request, U64 } from "./messages.ts"
import { longestTarget, pathBytes, readPath } from "./name.ts"
import { refuse } from "./refusal.ts"
import * as structs from "./generated/structs.ts"
import { checkU32, getU64, setS32, setU32, setU64 } from "./u64.ts"

// Copies, as generated/structs.ts asks for.
const S = { ...structs }

/** Takes the node id of every entry for which the kernel counts a lookup. */
export type CountLookup = (nodeid: U64) => void

export interface ReplyShape<R extends Request, V> {
  /** Bytes always written: the body has at least this much. */
  readonly size: number
  /** Writes the body at `at`, where a word begins, within `room` bytes; returns its length. */
  write(
    value: V,
    request: R,
    memory: Memory,
    at: number,
    room: number,
    count: CountLookup,
    negotiated: Negotiated | undefined
  ): number
  /** The body as views of the backend's own memory, when it is one that can be sent as it is. */
  views?(value: V, request: R): ReadonlyArray<Uint8Array> | undefined
  /** Where in a file the body lies, when that is the answer. */
  range?(value: unknown, request: R): FileRange | undefined
  read(cursor: Cursor, request: R): V
}

const fits = (length: number, room: number): void => {
  if (length > room) refuse("EIO", `the reply has ${length} bytes, ${room} fit`)
}

/** Header only. */
export const nothing: ReplyShape<Request, void> = {
  size: 0,
  write: () => 0,
  read: () => undefined
}

/** LOOKUP: the only entry that may name no node. */
export const found: ReplyShape<M.LookupRequest, M.Entry> = {
  size: S.entryOut.bytes,
  write: (entry, request, { words }, at, _room, count) => {
    const { name } = request
    if (putEntry(words, at, entry, name === "." || name === ".." ? "dots" : "lookup")) count(entry.nodeid)
    return S.entryOut.bytes
  },
  read: (cursor) => getEntry(cursor.view, cursor.take(S.entryOut.bytes, "entry_out"))
}

/** A name's new node. */
export const newEntry: ReplyShape<Request, M.Entry> = {
  size: S.entryOut.bytes,
  write: (entry, _request, { words }, at, _room, count) => {
    putEntry(words, at, entry, "new")
    count(entry.nodeid)
    return S.entryOut.bytes
  },
  read: (cursor) => getEntry(cursor.view, cursor.take(S.entryOut.bytes, "entry_out"))
}

export const attributes: ReplyShape<Request, M.AttrReply> = {
  size: S.attrOut.bytes,
  write: (value, _request, { words }, at) => putAttrReply(words, at, value),
  read: (cursor) => getAttrReply(cursor.view, cursor.take(S.attrOut.bytes, "attr_out"))
}

/** A symlink's target, with no NUL. */
export const target: ReplyShape<M.ReadlinkRequest, M.Name> = {
  size: 0,
  write: (value, _request, { bytes }, at, room) => {
    const path = pathBytes(value, "a symlink's target")
    if (path.length > longestTarget) refuse("ENAMETOOLONG", `a symlink's target has ${path.length} bytes`)
    fits(path.length, room)
    bytes.set(path, at)
    return path.length
  },
  read: (cursor) => {
    const at = cursor.take(cursor.left, "target")
    return readPath(cursor.bytes, at, cursor.end) ?? cursor.fail("target", "empty, or with a NUL", at)
  }
}

const checkOpen = (open: M.Open, negotiated: Negotiated | undefined): void => {
  if ((open.openFlags & openReplyFlags.FOPEN_PASSTHROUGH) === 0) return
  if (negotiated?.passthrough === false) refuse("EIO", "FOPEN_PASSTHROUGH was not agreed on")
  if (open.backingId === undefined || open.backingId <= 0) refuse("EIO", "FOPEN_PASSTHROUGH needs a backing id")
}

export const opened: ReplyShape<Request, M.Open> = {
  size: S.openOut.bytes,
  write: (open, _request, { view }, at, _room, _count, negotiated) => {
    checkOpen(open, negotiated)
    return putOpen(view, at, open)
  },
  read: (cursor) => getOpen(cursor.view, cursor.take(S.openOut.bytes, "open_out"))
}

/** CREATE, TMPFILE: the entry, then its open. */
export const created: ReplyShape<Request, M.Created> = {
  size: S.entryOut.bytes + S.openOut.bytes,
  write: (value, _request, { view, words }, at, _room, count, negotiated) => {
    checkOpen(value.open, negotiated)
    putEntry(words, at, value.entry, "new")
    putOpen(view, at + S.entryOut.bytes, value.open)
    count(value.entry.nodeid)
    return S.entryOut.bytes + S.openOut.bytes
  },
  read: (cursor) => getCreated(cursor.view, cursor.take(S.entryOut.bytes + S.openOut.bytes, "entry_out"))
}

/** READ: at most what was asked for; less means the file ends there. */
export const content: ReplyShape<M.ReadRequest, Data> = {
  size: 0,
  write: (data, request, { bytes }, at, room) => {
    const length = dataLength(data, "what was read")
    if (length > request.size) refuse("EIO", `${length} bytes read, ${request.size} asked for`)
    fits(length, room)
    return putData(bytes, at, data)
  },
  views: (data, request) => {
    const views = viewsOf(data)
    return views !== undefined && dataLength(data, "data") <= request.size ? views : undefined
  },
  range: (data, request) => (isFileRange(data) && data.length <= request.size ? data : undefined),
  read: (cursor) => cursor.data(cursor.left, "data")
}

export const written: ReplyShape<M.WriteRequest, number> = {
  size: S.writeOut.bytes,
  write: (size, request, { words }, at) => {
    checkU32(size, "size")
    if (size > request.size) refuse("EIO", `${size} bytes written, ${request.size} asked for`)
    words[(at + S.writeOut.size) >> 2] = size
    words[(at + S.writeOut.padding) >> 2] = 0
    return S.writeOut.bytes
  },
  read: (cursor) => cursor.view.getUint32(cursor.take(S.writeOut.bytes, "write_out"), true)
}

export const usage: ReplyShape<M.StatfsRequest, M.Statfs> = {
  size: S.statfsOut.bytes,
  write: (value, _request, { view }, at) => putStatfs(view, at, value),
  read: (cursor) => getStatfs(cursor.view, cursor.take(S.statfsOut.bytes, "statfs_out"))
}

const putSize = (view: DataView, at: number, size: number): number => {
  setU32(view, at + S.getxattrOut.size, size, "size")
  view.setUint32(at + S.getxattrOut.padding, 0, true)
  return S.getxattrOut.bytes
}

const isSize = (value: M.XattrReply): value is { readonly size: number } => typeof value === "object" && "size" in value

/** GETXATTR, LISTXATTR: the size when asked with size 0, else the bytes. */
export const attribute: ReplyShape<M.GetxattrRequest | M.ListxattrRequest, M.XattrReply> = {
  size: 0,
  write: (value, request, { bytes, view }, at, room) => {
    if (isSize(value)) {
      if (request.size !== 0) {
        refuse(value.size > request.size ? "ERANGE" : "EIO", `a size, where up to ${request.size} bytes were asked for`)
      }
      fits(S.getxattrOut.bytes, room)
      return putSize(view, at, value.size)
    }
    const length = dataLength(value, "an attribute")
    if (request.size === 0) {
      fits(S.getxattrOut.bytes, room)
      return putSize(view, at, length)
    }
    if (length > request.size) refuse("ERANGE", `an attribute of ${length} bytes, ${request.size} asked for`)
    fits(length, room)
    return putData(bytes, at, value)
  },
  views: (value, request) => {
    if (request.size === 0 || isSize(value)) return undefined
    const views = viewsOf(value)
    return views !== undefined && dataLength(value, "data") <= request.size ? views : undefined
  },
  read: (cursor, request) =>
    request.size === 0
      ? { size: cursor.view.getUint32(cursor.take(S.getxattrOut.bytes, "getxattr_out"), true) }
      : cursor.data(cursor.left, "value")
}

export const agreed: ReplyShape<M.InitRequest, M.InitReply> = {
  size: 0,
  write: (reply, _request, { view }, at, room) => {
    fits(S.initOut.bytes, room)
    return encodeInitReply(reply, view, at)
  },
  read: (cursor) => {
    const { left } = cursor
    if (left < 8) cursor.fail("init_out", "cut short")
    return readInitReply(cursor.view, cursor.take(left, "init_out"), left)
  }
}

export const listing: ReplyShape<M.ReaddirRequest, Iterable<M.Dirent>> = {
  size: 0,
  write: (dirents, request, memory, at, room) => packDirents(memory, at, Math.min(request.size, room), dirents),
  read: readDirents
}

export const listingPlus: ReplyShape<M.ReaddirplusRequest, Iterable<M.DirentPlus>> = {
  size: 0,
  write: (dirents, request, memory, at, room, count) =>
    packDirentplus(memory, at, Math.min(request.size, room), dirents, count),
  read: readDirentplus
}

const largestOffset = 0x7fff_ffff_ffff_ffffn
const isOffset = (value: U64): boolean => typeof value === "number" || value <= largestOffset

export const conflict: ReplyShape<M.GetlkRequest, M.FileLock> = {
  size: S.lkOut.bytes,
  write: (lock, _request, { view }, at) => {
    const { type } = lock
    if (type !== lockTypes.F_UNLCK) {
      if (type !== lockTypes.F_RDLCK && type !== lockTypes.F_WRLCK) refuse("EIO", `${String(type)} is no type of lock`)
      if (!isOffset(lock.start) || !isOffset(lock.end) || lock.end < lock.start) refuse("EIO", `no range: ${lock.start} to ${lock.end}`)
    }
    putLock(view, at, lock)
    return S.lkOut.bytes
  },
  read: (cursor) => getLock(cursor.view, cursor.take(S.lkOut.bytes, "lk_out"))
}

export const block: ReplyShape<M.BmapRequest, U64> = {
  size: S.bmapOut.bytes,
  write: (value, _request, { view }, at) => {
    setU64(view, at, value, "block")
    return S.bmapOut.bytes
  },
  read: (cursor) => cursor.u64("block")
}

const putIoctlOut = (view: DataView, at: number, result: number, flags: number, inIovs: number, outIovs: number): void => {
  setS32(view, at + S.ioctlOut.result, result, "result")
  view.setUint32(at + S.ioctlOut.flags, flags, true)
  view.setUint32(at + S.ioctlOut.inIovs, inIovs, true)
  view.setUint32(at + S.ioctlOut.outIovs, outIovs, true)
}

const readIovecs = (cursor: Cursor, count: number): ReadonlyArray<M.IoctlIovec> => {
  if (count > limits.FUSE_IOCTL_MAX_IOV) cursor.fail("iovs", `${count} of them`)
  const iovs: Array<M.IoctlIovec> = []
  for (let index = 0; index < count; index++) iovs.push({ base: cursor.u64("base"), len: cursor.u64("len") })
  return iovs
}

/** The result and its bytes, or (FUSE_IOCTL_RETRY) the memory to fetch before asking again. */
export const controlled: ReplyShape<M.IoctlRequest, M.IoctlReply> = {
  size: S.ioctlOut.bytes,
  write: (value, request, { bytes, view }, at, room) => {
    const body = at + S.ioctlOut.bytes
    if ("retry" in value) {
      const { inIovs, outIovs } = value.retry
      if ((request.flags & ioctlFlags.FUSE_IOCTL_UNRESTRICTED) === 0) refuse("EIO", "only an unrestricted ioctl can be retried")
      const count = inIovs.length + outIovs.length
      if (count > limits.FUSE_IOCTL_MAX_IOV) refuse("EIO", `${count} iovecs, ${limits.FUSE_IOCTL_MAX_IOV} at most`)
      const length = S.ioctlOut.bytes + count * S.ioctlIovec.bytes
      fits(length, room)
      putIoctlOut(view, at, 0, ioctlFlags.FUSE_IOCTL_RETRY, inIovs.length, outIovs.length)
      let to = body
      for (const iovs of [inIovs, outIovs]) {
        for (const { base, len } of iovs) {
          setU64(view, to + S.ioctlIovec.base, base, "base")
          setU64(view, to + S.ioctlIovec.len, len, "len")
          to += S.ioctlIovec.bytes
        }
      }
      return length
    }
    const { data } = value
    const length = data === undefined ? 0 : dataLength(data, "an ioctl's data")
    if (length > request.outSize) refuse("EIO", `an ioctl gave ${length} bytes, ${request.outSize} asked for`)
    fits(S.ioctlOut.bytes + length, room)
    putIoctlOut(view, at, value.result, 0, 0, 0)
    if (data !== undefined) putData(bytes, body, data)
    return S.ioctlOut.bytes + length
  },
  read: (cursor) => {
    const at = cursor.take(S.ioctlOut.bytes, "ioctl_out")
    const { view } = cursor
    if ((view.getUint32(at + S.ioctlOut.flags, true) & ioctlFlags.FUSE_IOCTL_RETRY) !== 0) {
      const inIovs = readIovecs(cursor, view.getUint32(at + S.ioctlOut.inIovs, true))
      const outIovs = readIovecs(cursor, view.getUint32(at + S.ioctlOut.outIovs, true))
      return { retry: { inIovs, outIovs } }
    }
    const result = view.getInt32(at + S.ioctlOut.result, true)
    return cursor.left === 0 ? { result } : { result, data: cursor.data(cursor.left, "data") }
  }
}

export const ready: ReplyShape<M.PollRequest, number> = {
  size: S.pollOut.bytes,
  write: (revents, _request, { view }, at) => {
    setU32(view, at + S.pollOut.revents, revents, "revents")
    view.setUint32(at + S.pollOut.padding, 0, true)
    return S.pollOut.bytes
  },
  read: (cursor) => cursor.view.getUint32(cursor.take(S.pollOut.bytes, "poll_out"), true)
}

export const position: ReplyShape<M.LseekRequest, U64> = {
  size: S.lseekOut.bytes,
  write: (offset, _request, { view }, at) => {
    if (!isOffset(offset)) refuse("EIO", `offset ${offset} is over 2^63-1`)
    setU64(view, at, offset, "offset")
    return S.lseekOut.bytes
  },
  read: (cursor) => cursor.u64("offset")
}

/** COPY_FILE_RANGE answers in 32 bits (`struct fuse_write_out`), COPY_FILE_RANGE_64 in 64. */
export const copied: ReplyShape<M.CopyFileRangeRequest, U64> = {
  size: S.copyFileRangeOut.bytes,
  write: (count, request, { view }, at) => {
    if (count > request.len) refuse("EIO", `${count} bytes copied, ${request.len} asked for`)
    if (!request.wide && count > 0xffffffff) refuse("EIO", `${count} bytes copied do not fit in 32 bits`)
    setU64(view, at, count, "bytes_copied")
    return S.copyFileRangeOut.bytes
  },
  read: (cursor, request) => {
    const at = cursor.take(S.copyFileRangeOut.bytes, "bytes_copied")
    return request.wide ? getU64(cursor.view, at) : cursor.view.getUint32(at, true)
  }
}

export const extendedAttributes: ReplyShape<M.StatxRequest, M.StatxReply> = {
  size: S.statxOut.bytes,
  write: (value, _request, { view }, at) => putStatx(view, at, value),
  read: (cursor) => getStatx(cursor.view, cursor.take(S.statxOut.bytes, "statx_out"))
}
