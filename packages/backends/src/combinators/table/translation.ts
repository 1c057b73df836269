/** From a backend's numbers to the table's. */
import type { Attr, AttrReply, Created, Entry, Notify, Request, StatxReply, U64 } from "@bickford/session"
import type { Numbers } from "./numbers.ts"

/** A backend's notifications, in the table's numbers. */
export const notifyIn = (notify: Notify, outer: (inner: U64) => U64): Notify => ({
  ...notify,
  invalInode: (nodeid, offset, length) => notify.invalInode(outer(nodeid), offset, length),
  invalEntry: (parent, name, options) => notify.invalEntry(outer(parent), name, options),
  delete: (parent, child, name) => notify.delete(outer(parent), outer(child), name),
  store: (nodeid, offset, data) => notify.store(outer(nodeid), offset, data),
  retrieve: (nodeid, offset, size) => notify.retrieve(outer(nodeid), offset, size),
  prune: (nodeids) => notify.prune(nodeids.map(outer))
})

/** The same attributes, of the file that the table numbers so. (Field by field: a backend's may be getters.) */
const attrWith = (ino: U64, { atime, blksize, blocks, ctime, flags, gid, mode, mtime, nlink, rdev, size, uid }: Attr): Attr => ({
  ino, size, blocks, atime, mtime, ctime, mode, nlink, uid, gid, rdev, blksize, flags
})

/** What a backend answers, in the table's numbers. */
export const translate = (numbers: Numbers, space: number, outer: (inner: U64) => U64, request: Request, value: unknown): unknown => {
  const ino = (inner: U64): U64 => numbers.wrapped(space, inner)
  const entryOf = (entry: Entry): Entry =>
    entry.nodeid === 0 ? entry : {
      nodeid: outer(entry.nodeid),
      generation: entry.generation,
      entryValid: entry.entryValid,
      attrValid: entry.attrValid,
      attr: attrWith(ino(entry.attr.ino), entry.attr)
    }
  switch (request.op) {
    // The opcode table pairs these operations with these replies.
    case "lookup":
    case "mknod":
    case "mkdir":
    case "symlink":
    case "link":
      return entryOf(value as Entry)
    case "create":
    case "tmpfile": {
      const { entry, open } = value as Created
      return { entry: entryOf(entry), open }
    }
    case "getattr":
    case "setattr": {
      const { attr, attrValid } = value as AttrReply
      return { attrValid, attr: attrWith(ino(attr.ino), attr) }
    }
    case "statx": {
      const { attrValid, flags, stat } = value as StatxReply
      return { attrValid, flags, stat: { ...stat, ino: ino(stat.ino) } }
    }
    default:
      return value
  }
}

