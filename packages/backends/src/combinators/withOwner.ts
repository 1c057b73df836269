/** A filesystem all of whose files look to be one user's. */
import type { Attr, DirentPlus, Entry } from "@bickford/protocol"
import type { AsyncBackend, Backend } from "@bickford/session"
import { S_IFDIR, S_IFMT } from "../posix/linux.ts"
import { mapAnswer, mapOperations } from "./operations.ts"
import { attrWith, changeReply, type ReplyChanges } from "./replies.ts"

/** What is told of every file, whatever the backend says. */
export interface Owner {
  readonly uid?: number
  readonly gid?: number
  /** Every file's permissions are 0777 without these. */
  readonly umask?: number
  /** In place of `umask`, for all but directories. */
  readonly fmask?: number
  /** In place of `umask`, for directories. */
  readonly dmask?: number
}

/** `backend`, with other owners and permissions, as libfuse's options `uid`, `gid`, `umask`, `fmask` and `dmask` have it: those that are stored do not count. */
export const withOwner = (backend: AsyncBackend, { dmask, fmask, gid, uid, umask }: Owner): Backend => {
  const modeOf = (stored: number): number => {
    const mask = ((stored & S_IFMT) === S_IFDIR ? dmask : fmask) ?? umask
    return mask === undefined ? stored : (stored & S_IFMT) | (0o777 & ~mask)
  }
  const owned = (stored: { readonly mode: number; readonly uid: number; readonly gid: number }) => ({
    mode: modeOf(stored.mode),
    uid: uid ?? stored.uid,
    gid: gid ?? stored.gid
  })
  const attr = (stored: Attr): Attr => attrWith(stored, owned(stored))
  const entryOf = ({ attr: stored, attrValid, entryValid, generation, nodeid }: Entry): Entry => ({
    nodeid,
    generation,
    entryValid,
    attrValid,
    attr: nodeid === 0 ? stored : attr(stored)
  })
  function* listed(entries: Iterable<DirentPlus>): Generator<DirentPlus, void, undefined> {
    for (const { entry, ino, name, off, type } of entries)
      yield { ino, off, type, name, entry: entry === undefined ? undefined : entryOf(entry) }
  }
  const changes: ReplyChanges = { entry: entryOf, attr, stat: (stat) => ({ ...stat, ...owned(stat) }) }
  return {
    ...mapOperations(
      backend,
      (name, operation) => (request, context) =>
        mapAnswer(operation(request, context), (value) =>
          // The opcode table pairs READDIRPLUS with this reply.
          name === "readdirplus" ? listed(value as Iterable<DirentPlus>) : changeReply(request, value, changes)
        )
    ),
    // An ACL that is stored would let in whom the mode shown here keeps out.
    capabilities: { ...backend.capabilities, posixAcl: false }
  }
}
