/** How the answers of operations are recorded, so that a request that is delivered again gets the same one. */
import type { Created, Entry, U64 } from "@bickford/protocol"
import { Errno, type ErrnoError } from "@bickford/session"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { done, entry } from "../posix/filesystem.ts"
import type { Inode } from "../posix/inode.ts"
import type { Opening } from "../posix/open.ts"
import type { StoredFilesystem } from "./filesystem.ts"
import type { Recorded } from "./once.ts"

export const makeRecords = (fs: StoredFilesystem["filesystem"], opening: Opening) => {
  /** Answers with the inode that the record names; ESTALE when it is gone. */
  const answerFor = <A>(ino: U64, reply: (inode: Inode) => Exit.Exit<A>): Effect.Effect<A, ErrnoError> => {
    const inode = fs.node(ino)
    return inode === undefined ? Errno.ESTALE : reply(inode)
  }
  const nothing: Recorded<unknown, void> = { toRecord: () => 0, fromRecord: () => done }
  const node: Recorded<unknown, Entry> = {
    toRecord: ({ nodeid }) => nodeid,
    fromRecord: (ino) => answerFor(ino, entry)
  }
  const created: Recorded<unknown, Created> = {
    toRecord: (reply) => reply.entry.nodeid,
    fromRecord: (ino) =>
      answerFor(ino, (inode) => Exit.map(entry(inode), () => ({ entry: inode, open: opening.file() })))
  }

  return { answerFor, nothing, node, created }
}
