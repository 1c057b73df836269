/** Opening, which keeps nothing: a file is found by its node, a place in a directory by its cookie. */
import { type Backend, Errno, type Open, type RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import { done, type Filesystem } from "./filesystem.ts"
import type { Inode } from "./inode.ts"
import { FOPEN_CACHE_DIR, FOPEN_KEEP_CACHE, FOPEN_NOFLUSH, FUSE_OPEN_KILL_SUIDGID } from "./linux.ts"
import { dropCapability, killSuidSgid } from "./privileges.ts"

/** What every open file is told. The kernel's cache is right as it is: nobody else changes a file. */
export const fileOpened = (locks: "kernel" | "server"): Open => ({
  fh: 0,
  // A FLUSH would only have to drop the closing process's locks.
  openFlags: FOPEN_KEEP_CACHE | (locks === "kernel" ? FOPEN_NOFLUSH : 0)
})

const directoryOpened: Exit.Exit<Open> = Exit.succeed({ fh: 0, openFlags: FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR })

/** O_TRUNC of a create that finds the file there; an open's comes as a SETATTR. */
export const truncateOnCreate = (fs: Filesystem, inode: Inode, openFlags: number, context: RequestContext): void => {
  fs.resize(inode, 0)
  if ((openFlags & FUSE_OPEN_KILL_SUIDGID) !== 0) killSuidSgid(inode, context)
  dropCapability(fs, inode)
  const at = fs.now()
  inode.mtime = at
  inode.ctime = at
}

export const openOperations = (fs: Filesystem, opened: Open): Required<Pick<Backend, "open" | "opendir">> => {
  const fileReply: Exit.Exit<Open> = Exit.succeed(opened)
  return {
    open: ({ nodeid }) => fs.node(nodeid) === undefined ? Errno.ESTALE : fileReply,
    opendir: ({ nodeid }) => fs.node(nodeid) === undefined ? Errno.ESTALE : directoryOpened
  }
}

/** Nothing was opened, so nothing is closed. */
export const releasedir = (): typeof done => done
