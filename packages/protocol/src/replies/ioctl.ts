/** IOCTL's reply: its result and bytes, or (FUSE_IOCTL_RETRY) the memory to fetch before asking again. */
import { ioctlFlags, limits } from "../constants.ts"
import type { Cursor } from "../cursor.ts"
import { checkedViews, putData, viewsLength } from "../data.ts"
import { getIoctlHead, getIoctlIovec, putIoctlHead, putIoctlIovec } from "../generated/records.ts"
import { ioctlIovec, ioctlOut } from "../generated/structs.ts"
import type { IoctlIovec, IoctlReply, IoctlRequest } from "../messages.ts"
import { refuse } from "../refusal.ts"
import { checkRoom, type ReplyCodec } from "./reply.ts"

const { FUSE_IOCTL_RETRY, FUSE_IOCTL_UNRESTRICTED } = ioctlFlags
const { FUSE_IOCTL_MAX_IOV } = limits

const readIovecs = (cursor: Cursor, count: number): ReadonlyArray<IoctlIovec> => {
  if (count > FUSE_IOCTL_MAX_IOV) cursor.fail("iovs", `${count} of them`)
  return Array.from({ length: count }, () => getIoctlIovec(cursor.view, cursor.take(ioctlIovec.bytes, "iovs")))
}

export const controlled: ReplyCodec<IoctlRequest, IoctlReply> = {
  size: ioctlOut.bytes,
  write: (value, request, { bytes, view }, at, room) => {
    const body = at + ioctlOut.bytes
    if ("retry" in value) {
      const { inIovs, outIovs } = value.retry
      if ((request.flags & FUSE_IOCTL_UNRESTRICTED) === 0) refuse("EIO", "only an unrestricted ioctl can be retried")
      const iovs = [...inIovs, ...outIovs]
      if (iovs.length > FUSE_IOCTL_MAX_IOV) refuse("EIO", `${iovs.length} iovecs, ${FUSE_IOCTL_MAX_IOV} at most`)
      const length = ioctlOut.bytes + iovs.length * ioctlIovec.bytes
      checkRoom(length, room)
      putIoctlHead(view, at, { result: 0, flags: FUSE_IOCTL_RETRY, inIovs: inIovs.length, outIovs: outIovs.length })
      iovs.forEach((iov, index) => putIoctlIovec(view, body + index * ioctlIovec.bytes, iov))
      return length
    }
    const { data } = value
    const views = data === undefined ? [] : checkedViews(data, "an ioctl's data")
    const length = viewsLength(views)
    if (length > request.outSize) refuse("EIO", `an ioctl gave ${length} bytes, ${request.outSize} asked for`)
    checkRoom(ioctlOut.bytes + length, room)
    putIoctlHead(view, at, { result: value.result, flags: 0, inIovs: 0, outIovs: 0 })
    putData(bytes, body, views)
    return ioctlOut.bytes + length
  },
  read: (cursor) => {
    const { flags, inIovs, outIovs, result } = getIoctlHead(cursor.view, cursor.take(ioctlOut.bytes, "ioctl_out"))
    if ((flags & FUSE_IOCTL_RETRY) !== 0) {
      return { retry: { inIovs: readIovecs(cursor, inIovs), outIovs: readIovecs(cursor, outIovs) } }
    }
    return cursor.left === 0 ? { result } : { result, data: cursor.data(cursor.left, "data") }
  }
}
