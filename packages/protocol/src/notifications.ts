/**
 * What a server tells the kernel unasked: an out header with `unique` 0 and the code where a reply has its
 * error (`enum fuse_notify_code`, `fs/fuse/dev.c` fuse_notify).
 */
import { notifyCodes } from "./constants.ts"
import { Cursor } from "./cursor.ts"
import { viewsOf } from "./data.ts"
import { isDecodeError } from "./decodeError.ts"
import { readOutHeader, writeOutHeader } from "./frame.ts"
import type { DecodeError, Notification, U64 } from "./messages.ts"
import { nameBytes } from "./name.ts"
import { type EncodeError, encodeErrorOf, refuse } from "./refusal.ts"
import { outHeader } from "./generated/structs.ts"
import { Writer } from "./writer.ts"

type Kind = Notification["notify"]
type Of<K extends Kind> = Extract<Notification, { readonly notify: K }>

interface NotificationRow<N extends Notification> {
  readonly notify: N["notify"]
  readonly code: number
  /** Without `FUSE_NOTIFY_`. */
  readonly name: string
  readonly since: readonly [7, number]
  /** Appends the body; data that is not to be copied is returned. */
  encode(notification: N, writer: Writer): ReadonlyArray<Uint8Array>
  decode(cursor: Cursor): N
}

const noViews: ReadonlyArray<Uint8Array> = []

const readTerminated = (cursor: Cursor, length: number) => {
  const name = cursor.name(length, "name")
  if (cursor.data(1, "name")[0] !== 0) cursor.fail("name", "no NUL ends it", cursor.at - 1)
  return name
}

const poll: NotificationRow<Of<"poll">> = {
  notify: "poll",
  code: notifyCodes.FUSE_NOTIFY_POLL,
  name: "POLL",
  since: [7, 11],
  encode: ({ kh }, writer) => {
    writer.u64(kh, "kh")
    return noViews
  },
  decode: (cursor) => ({ notify: "poll", kh: cursor.u64("kh") })
}

const invalInode: NotificationRow<Of<"invalInode">> = {
  notify: "invalInode",
  code: notifyCodes.FUSE_NOTIFY_INVAL_INODE,
  name: "INVAL_INODE",
  since: [7, 12],
  encode: ({ ino, len, off }, writer) => {
    writer.u64(ino, "ino")
    writer.s64(off, "off")
    writer.s64(len, "len")
    return noViews
  },
  decode: (cursor) => ({ notify: "invalInode", ino: cursor.u64("ino"), off: cursor.s64("off"), len: cursor.s64("len") })
}

/** `flags`: FUSE_EXPIRE_ONLY (7.38) lets the name live until it is looked at again. */
const invalEntry: NotificationRow<Of<"invalEntry">> = {
  notify: "invalEntry",
  code: notifyCodes.FUSE_NOTIFY_INVAL_ENTRY,
  name: "INVAL_ENTRY",
  since: [7, 12],
  encode: ({ flags, name, parent }, writer) => {
    const bytes = nameBytes(name)
    writer.u64(parent, "parent")
    writer.u32(bytes.length, "namelen")
    writer.u32(flags, "flags")
    writer.terminated(bytes)
    return noViews
  },
  decode: (cursor) => {
    const parent = cursor.u64("parent")
    const length = cursor.u32("namelen")
    const flags = cursor.u32("flags")
    return { notify: "invalEntry", parent, name: readTerminated(cursor, length), flags }
  }
}

const store: NotificationRow<Of<"store">> = {
  notify: "store",
  code: notifyCodes.FUSE_NOTIFY_STORE,
  name: "STORE",
  since: [7, 15],
  encode: ({ data, nodeid, offset }, writer) => {
    const views = viewsOf(data) ?? refuse("EINVAL", "the data is not bytes")
    let size = 0
    for (const view of views) size += view.length
    writer.u64(nodeid, "nodeid")
    writer.u64(offset, "offset")
    writer.u32(size, "size")
    writer.u32(0, "padding")
    return views
  },
  decode: (cursor) => {
    const nodeid = cursor.u64("nodeid")
    const offset = cursor.u64("offset")
    const size = cursor.u32("size")
    cursor.u32("padding")
    return { notify: "store", nodeid, offset, data: cursor.data(size, "data") }
  }
}

/** Answered by a NOTIFY_REPLY request whose `unique` is `notifyUnique`. */
const retrieve: NotificationRow<Of<"retrieve">> = {
  notify: "retrieve",
  code: notifyCodes.FUSE_NOTIFY_RETRIEVE,
  name: "RETRIEVE",
  since: [7, 15],
  encode: ({ nodeid, notifyUnique, offset, size }, writer) => {
    writer.u64(notifyUnique, "notify_unique")
    writer.u64(nodeid, "nodeid")
    writer.u64(offset, "offset")
    writer.u32(size, "size")
    writer.u32(0, "padding")
    return noViews
  },
  decode: (cursor) => {
    const notifyUnique = cursor.u64("notify_unique")
    const nodeid = cursor.u64("nodeid")
    const offset = cursor.u64("offset")
    const size = cursor.u32("size")
    cursor.u32("padding")
    return { notify: "retrieve", notifyUnique, nodeid, offset, size }
  }
}

const remove: NotificationRow<Of<"delete">> = {
  notify: "delete",
  code: notifyCodes.FUSE_NOTIFY_DELETE,
  name: "DELETE",
  since: [7, 18],
  encode: ({ child, name, parent }, writer) => {
    const bytes = nameBytes(name)
    writer.u64(parent, "parent")
    writer.u64(child, "child")
    writer.u32(bytes.length, "namelen")
    writer.u32(0, "padding")
    writer.terminated(bytes)
    return noViews
  },
  decode: (cursor) => {
    const parent = cursor.u64("parent")
    const child = cursor.u64("child")
    const length = cursor.u32("namelen")
    cursor.u32("padding")
    return { notify: "delete", parent, child, name: readTerminated(cursor, length) }
  }
}

const resend: NotificationRow<Of<"resend">> = {
  notify: "resend",
  code: notifyCodes.FUSE_NOTIFY_RESEND,
  name: "RESEND",
  since: [7, 40],
  encode: () => noViews,
  decode: () => ({ notify: "resend" })
}

const incEpoch: NotificationRow<Of<"incEpoch">> = {
  notify: "incEpoch",
  code: notifyCodes.FUSE_NOTIFY_INC_EPOCH,
  name: "INC_EPOCH",
  since: [7, 44],
  encode: () => noViews,
  decode: () => ({ notify: "incEpoch" })
}

const prune: NotificationRow<Of<"prune">> = {
  notify: "prune",
  code: notifyCodes.FUSE_NOTIFY_PRUNE,
  name: "PRUNE",
  since: [7, 45],
  encode: ({ nodeids }, writer) => {
    writer.u32(nodeids.length, "count")
    writer.u32(0, "padding")
    writer.u64(0, "spare")
    for (const nodeid of nodeids) writer.u64(nodeid, "nodeid")
    return noViews
  },
  decode: (cursor) => {
    const count = cursor.u32("count")
    cursor.u32("padding")
    cursor.u64("spare")
    if (cursor.left !== count * 8) cursor.fail("count", `${count} nodes promised, ${cursor.left} bytes there`)
    const nodeids: Array<U64> = []
    for (let index = 0; index < count; index++) nodeids.push(cursor.u64("nodeid"))
    return { notify: "prune", nodeids }
  }
}

/** One row per notification. */
export const notificationTable: ReadonlyArray<NotificationRow<Notification>> = [
  poll,
  invalInode,
  invalEntry,
  store,
  retrieve,
  remove,
  resend,
  incEpoch,
  prune
]

/** The parts of one message, to be sent gathered. Refuses what a kernel of `minor` does not know (ENOSYS). */
export const encodeNotification = (
  notification: Notification,
  minor: number
): ReadonlyArray<Uint8Array> | EncodeError => {
  try {
    const row =
      notificationTable.find((candidate) => candidate.notify === notification.notify) ??
      refuse("EINVAL", `no notification is called ${String(notification.notify)}`)
    if (minor < row.since[1]) refuse("ENOSYS", `${row.name} needs FUSE 7.${row.since[1]}; 7.${minor} was agreed on`)
    const writer = new Writer(64)
    writer.grow(outHeader.bytes)
    const views = row.encode(notification, writer)
    let length = writer.length - outHeader.bytes
    for (const view of views) length += view.length
    writeOutHeader(writer.view, 0, length, row.code, 0)
    return [writer.finish(), ...views]
  } catch (thrown) {
    return encodeErrorOf(thrown)
  }
}

/** Any bytes at all give a notification or a `DecodeError`. Data is a view into `bytes`. */
export const decodeNotification = (bytes: Uint8Array): Notification | DecodeError => {
  const cursor = new Cursor(bytes, 0, bytes.length)
  try {
    const header = readOutHeader(cursor.view, cursor.take(outHeader.bytes, "header"))
    if (header.len !== bytes.length) cursor.fail("len", `${header.len} bytes promised`, 0)
    if (header.unique !== 0) cursor.fail("unique", "a reply, not a notification", outHeader.unique)
    const row = notificationTable.find((candidate) => candidate.code === header.error)
    if (row === undefined) return cursor.malformed("error", `code ${header.error} is not known`, outHeader.error)
    const notification = row.decode(cursor)
    cursor.finish()
    return notification
  } catch (thrown) {
    if (isDecodeError(thrown)) return thrown
    throw thrown
  }
}
