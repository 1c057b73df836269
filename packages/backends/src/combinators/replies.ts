/** Replies that tell of files, changed on their way. */
import {
  type Attr,
  type AttrReply,
  type Created,
  type Entry,
  operations,
  type Request,
  type StatxReply
} from "@bickford/protocol"

export interface ReplyChanges {
  readonly entry: (entry: Entry) => Entry
  readonly attr: (attr: Attr) => Attr
  readonly stat: (stat: StatxReply["stat"]) => StatxReply["stat"]
}

/** Attributes with some fields changed. (Field by field: a backend's may be getters.) */
export const attrWith = (
  { atime, blksize, blocks, ctime, flags, gid, ino, mode, mtime, nlink, rdev, size, uid }: Attr,
  changes: Partial<Attr>
): Attr => ({ ino, size, blocks, atime, mtime, ctime, mode, nlink, uid, gid, rdev, blksize, flags, ...changes })

/** What a backend answered, changed where it tells of a file; listings are left as they are. */
export const changeReply = (request: Request, value: unknown, { attr, entry, stat }: ReplyChanges): unknown => {
  // The table pairs each operation with its kind of reply.
  switch (operations[request.op].reply) {
    case "found":
    case "entry":
      return entry(value as Entry)
    case "created": {
      const created = value as Created
      return { entry: entry(created.entry), open: created.open }
    }
    case "attributes": {
      const reply = value as AttrReply
      return { attrValid: reply.attrValid, attr: attr(reply.attr) }
    }
    case "statx": {
      const reply = value as StatxReply
      return { attrValid: reply.attrValid, flags: reply.flags, stat: stat(reply.stat) }
    }
    default:
      return value
  }
}
