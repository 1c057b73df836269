/** Replies that are bytes: of a file, a symlink, an extended attribute, a listing. */
import { checkedViews, isPlainBytes, partsOf, putData, viewsLength, viewsOf } from "../data.ts"
import { packDirentplus, packDirents, readDirentplus, readDirents } from "../dirents.ts"
import * as structs from "../generated/structs.ts"
import type {
  Data,
  Dirent,
  DirentPlus,
  GetxattrRequest,
  ListxattrRequest,
  Name,
  ReaddirplusRequest,
  ReaddirRequest,
  ReadlinkRequest,
  ReadRequest,
  XattrReply
} from "../messages.ts"
import { longestTarget, pathBytes, readPath } from "../name.ts"
import { refuse } from "../refusal.ts"
import { setU32 } from "../u64.ts"
import { checkRoom, type ReplyCodec } from "./reply.ts"

const { getxattrOut } = structs

/** A symlink's target, with no NUL. */
export const target: ReplyCodec<ReadlinkRequest, Name> = {
  size: 0,
  write: (value, _request, { bytes }, at, room) => {
    const path = pathBytes(value, "a symlink's target")
    if (path.length > longestTarget) refuse("ENAMETOOLONG", `a symlink's target has ${path.length} bytes`)
    checkRoom(path.length, room)
    bytes.set(path, at)
    return path.length
  },
  read: (cursor) => {
    const at = cursor.take(cursor.left, "target")
    return readPath(cursor.bytes, at, cursor.end) ?? cursor.fail("target", "empty, or with a NUL", at)
  }
}

/** READ: at most what was asked for; less means the file ends there. */
export const content: ReplyCodec<ReadRequest, Data> = {
  size: 0,
  write: (data, request, { bytes }, at, room) => {
    const views = checkedViews(data, "what was read")
    const length = viewsLength(views)
    if (length > request.size) refuse("EIO", `${length} bytes read, ${request.size} asked for`)
    checkRoom(length, room)
    return putData(bytes, at, views)
  },
  views: (data, request) => {
    // Nearly every answer; by way of `viewsOf`, which is not inlined, a READ of 4 KiB took 25 ns longer.
    if (isPlainBytes(data)) return data.length <= request.size ? [data] : undefined
    const views = viewsOf(data)
    return views !== undefined && viewsLength(views) <= request.size ? views : undefined
  },
  parts: (data, request) => {
    const parts = partsOf(data)
    if (parts === undefined) return undefined
    const length = viewsLength(parts)
    return length <= request.size ? parts : refuse("EIO", `${length} bytes read, ${request.size} asked for`)
  },
  read: (cursor) => cursor.data(cursor.left, "data")
}

const putSize = (view: DataView, at: number, size: number): number => {
  setU32(view, at + getxattrOut.size, size, "size")
  view.setUint32(at + getxattrOut.padding, 0, true)
  return getxattrOut.bytes
}

const isSize = (value: XattrReply): value is { readonly size: number } => typeof value === "object" && "size" in value

/** GETXATTR, LISTXATTR: the size when asked with size 0, else the bytes. */
export const attribute: ReplyCodec<GetxattrRequest | ListxattrRequest, XattrReply> = {
  size: 0,
  write: (value, request, { bytes, view }, at, room) => {
    if (isSize(value)) {
      if (request.size !== 0) {
        refuse(value.size > request.size ? "ERANGE" : "EIO", `a size, where up to ${request.size} bytes were asked for`)
      }
      checkRoom(getxattrOut.bytes, room)
      return putSize(view, at, value.size)
    }
    const views = checkedViews(value, "an attribute")
    const length = viewsLength(views)
    if (request.size === 0) {
      checkRoom(getxattrOut.bytes, room)
      return putSize(view, at, length)
    }
    if (length > request.size) refuse("ERANGE", `an attribute of ${length} bytes, ${request.size} asked for`)
    checkRoom(length, room)
    return putData(bytes, at, views)
  },
  views: (value, request) => {
    if (request.size === 0 || isSize(value)) return undefined
    const views = viewsOf(value)
    return views !== undefined && viewsLength(views) <= request.size ? views : undefined
  },
  read: (cursor, request) =>
    request.size === 0
      ? { size: cursor.view.getUint32(cursor.take(getxattrOut.bytes, "getxattr_out"), true) }
      : cursor.data(cursor.left, "value")
}

export const listing: ReplyCodec<ReaddirRequest, Iterable<Dirent>> = {
  size: 0,
  write: (dirents, request, memory, at, room) => packDirents(memory, at, Math.min(request.size, room), dirents),
  read: readDirents
}

export const listingPlus: ReplyCodec<ReaddirplusRequest, Iterable<DirentPlus>> = {
  size: 0,
  write: (dirents, request, memory, at, room, count) =>
    packDirentplus(memory, at, Math.min(request.size, room), dirents, count),
  read: readDirentplus
}
