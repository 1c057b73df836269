/** Replies that are a number or a record of numbers. */
import { lockTypes } from "../constants.ts"
import { getFileLock, getStatfs, putFileLock, putStatfs } from "../generated/records.ts"
import * as structs from "../generated/structs.ts"
import { encodeInitReply, readInitReply } from "../init.ts"
import type {
  BmapRequest,
  CopyFileRangeRequest,
  FileLock,
  GetlkRequest,
  InitReply,
  InitRequest,
  LseekRequest,
  PollRequest,
  Request,
  Statfs,
  U64,
  WriteRequest
} from "../messages.ts"
import { refuse } from "../refusal.ts"
import { checkU32, getU64, setU32, setU64 } from "../u64.ts"
import { checkRoom, oneStruct, type ReplyCodec } from "./reply.ts"

// A copy, as generated/structs.ts asks for.
const writeOut = { ...structs.writeOut }
const { bmapOut, copyFileRangeOut, initOut, lkOut, lseekOut, pollOut, statfsOut } = structs

export const written: ReplyCodec<WriteRequest, number> = {
  size: writeOut.bytes,
  write: (size, request, { words }, at) => {
    checkU32(size, "size")
    if (size > request.size) refuse("EIO", `${size} bytes written, ${request.size} asked for`)
    words[(at + writeOut.size) >> 2] = size
    words[(at + writeOut.padding) >> 2] = 0
    return writeOut.bytes
  },
  read: (cursor) => cursor.view.getUint32(cursor.take(writeOut.bytes, "write_out"), true)
}

export const usage: ReplyCodec<Request, Statfs> = oneStruct(statfsOut.bytes, putStatfs, getStatfs)

export const agreed: ReplyCodec<InitRequest, InitReply> = {
  size: 0,
  write: (reply, _request, { view }, at, room) => {
    checkRoom(initOut.bytes, room)
    return encodeInitReply(reply, view, at)
  },
  read: (cursor) => {
    const { left } = cursor
    if (left < 8) cursor.fail("init_out", "cut short")
    return readInitReply(cursor.view, cursor.take(left, "init_out"), left)
  }
}

const largestOffset = 0x7fff_ffff_ffff_ffffn
const isOffset = (value: U64): boolean => typeof value === "number" || value <= largestOffset

export const conflict: ReplyCodec<GetlkRequest, FileLock> = {
  size: lkOut.bytes,
  write: (lock, _request, { view }, at) => {
    const { type } = lock
    if (type !== lockTypes.F_UNLCK) {
      if (type !== lockTypes.F_RDLCK && type !== lockTypes.F_WRLCK)
        refuse("EIO", `${String(type)} is not a type of lock`)
      if (!isOffset(lock.start) || !isOffset(lock.end) || lock.end < lock.start)
        refuse("EIO", `no range: ${lock.start} to ${lock.end}`)
    }
    putFileLock(view, at, lock)
    return lkOut.bytes
  },
  read: (cursor) => getFileLock(cursor.view, cursor.take(lkOut.bytes, "lk_out"))
}

export const block: ReplyCodec<BmapRequest, U64> = {
  size: bmapOut.bytes,
  write: (value, _request, { view }, at) => {
    setU64(view, at, value, "block")
    return bmapOut.bytes
  },
  read: (cursor) => cursor.u64("block")
}

export const ready: ReplyCodec<PollRequest, number> = {
  size: pollOut.bytes,
  write: (revents, _request, { view }, at) => {
    setU32(view, at + pollOut.revents, revents, "revents")
    view.setUint32(at + pollOut.padding, 0, true)
    return pollOut.bytes
  },
  read: (cursor) => cursor.view.getUint32(cursor.take(pollOut.bytes, "poll_out"), true)
}

export const position: ReplyCodec<LseekRequest, U64> = {
  size: lseekOut.bytes,
  write: (offset, _request, { view }, at) => {
    if (!isOffset(offset)) refuse("EIO", `offset ${offset} is over 2^63-1`)
    setU64(view, at, offset, "offset")
    return lseekOut.bytes
  },
  read: (cursor) => cursor.u64("offset")
}

/** COPY_FILE_RANGE answers in 32 bits (`struct fuse_write_out`), COPY_FILE_RANGE_64 in 64. */
export const copied: ReplyCodec<CopyFileRangeRequest, U64> = {
  size: copyFileRangeOut.bytes,
  write: (count, request, { view }, at) => {
    if (count > request.len) refuse("EIO", `${count} bytes copied, ${request.len} asked for`)
    if (!request.wide && count > 0xffffffff) refuse("EIO", `${count} bytes copied do not fit in 32 bits`)
    setU64(view, at, count, "bytes_copied")
    return copyFileRangeOut.bytes
  },
  read: (cursor, request) => {
    const at = cursor.take(copyFileRangeOut.bytes, "bytes_copied")
    return request.wide ? getU64(cursor.view, at) : cursor.view.getUint32(at, true)
  }
}
