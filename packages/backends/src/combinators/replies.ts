/** Replies that tell of files, changed on their way. */
import type { Attr, AttrReply, Created, Entry, Request, StatxReply } from "@bickford/protocol"

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
  switch (request.op) {
    // The opcode table pairs these operations with these replies.
    case "lookup":
    case "mknod":
    case "mkdir":
    case "symlink":
    case "link":
      return entry(value as Entry)
    case "create":
    case "tmpfile": {
      const created = value as Created
      return { entry: entry(created.entry), open: created.open }
    }
    case "getattr":
    case "setattr": {
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
