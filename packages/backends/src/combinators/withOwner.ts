/** A filesystem all of whose files look to be one user's. */
import type { Attr, AttrReply, Backend, Created, DirentPlus, Entry, Request, StatxReply } from "@bickford/session"
import { S_IFMT } from "../posix/linux.ts"
import { mapAnswer, mapOperations } from "./operations.ts"

/** What is told of every file, whatever the backend says. */
export interface Owner {
  readonly uid?: number
  readonly gid?: number
  /** Every file's permissions are 0777 without these. */
  readonly umask?: number
}

/** `backend`, with other owners and permissions, as libfuse's options `uid`, `gid` and `umask` have it: those that are stored do not count. */
export const withOwner = (backend: Backend, { gid, uid, umask }: Owner): Backend => {
  const modeOf = (mode: number): number => umask === undefined ? mode : (mode & S_IFMT) | (0o777 & ~umask)
  // Field by field: a backend's attributes may be getters.
  const owned = ({ atime, blksize, blocks, ctime, flags, gid: storedGid, ino, mode, mtime, nlink, rdev, size, uid: storedUid }: Attr): Attr => ({
    ino, size, blocks, atime, mtime, ctime, mode: modeOf(mode), nlink, uid: uid ?? storedUid, gid: gid ?? storedGid, rdev, blksize, flags
  })
  const entryOf = ({ attr, attrValid, entryValid, generation, nodeid }: Entry): Entry => ({
    nodeid, generation, entryValid, attrValid, attr: nodeid === 0 ? attr : owned(attr)
  })
  function* listed(entries: Iterable<DirentPlus>): Generator<DirentPlus, void, undefined> {
    for (const { entry, ino, name, off, type } of entries) yield { ino, off, type, name, entry: entry === undefined ? undefined : entryOf(entry) }
  }
  const told = (request: Request, value: unknown): unknown => {
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
        return { attrValid, attr: owned(attr) }
      }
      case "statx": {
        const { attrValid, flags, stat } = value as StatxReply
        return { attrValid, flags, stat: { ...stat, mode: modeOf(stat.mode), uid: uid ?? stat.uid, gid: gid ?? stat.gid } }
      }
      case "readdirplus":
        return listed(value as Iterable<DirentPlus>)
      default:
        return value
    }
  }
  return mapOperations(backend, (_name, operation) => (request, context) => mapAnswer(operation(request, context), (value) => told(request, value)))
}
