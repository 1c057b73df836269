/** Opening, which keeps nothing: a file is found by its node, a place in a directory by its cookie. */
import type { Open } from "@bickford/protocol"
import { type AtimePolicy, type Backend, Errno, type RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import { done, type Filesystem } from "./filesystem.ts"
import type { Inode } from "./inode.ts"
import { FOPEN_CACHE_DIR, FOPEN_DIRECT_IO, FOPEN_KEEP_CACHE, FOPEN_NOFLUSH, FUSE_OPEN_KILL_SUIDGID } from "./linux.ts"
import { dropCapability, killSuidSgid } from "./privileges.ts"

/** What an open file or directory is told. */
export interface Opening {
  readonly file: () => Open
  readonly directory: () => Open
  /** Goes by the flags of the mount that is served now. */
  readonly follow: (policy: AtimePolicy) => void
}

/**
 * The kernel's cache is right as it is: nobody else changes a file. Only strictatime needs it dropped at each open, so
 * that the server sees the open's first read and can mark it.
 */
export const makeOpening = (locks: "kernel" | "server"): Opening => {
  // A FLUSH would only have to drop the closing process's locks.
  const noFlush = locks === "kernel" ? FOPEN_NOFLUSH : 0
  let file: Open = { fh: 0, openFlags: FOPEN_KEEP_CACHE | noFlush }
  let directory: Open = { fh: 0, openFlags: FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR }
  return {
    file: () => file,
    directory: () => directory,
    follow: ({ directories, files }) => {
      file = { fh: 0, openFlags: (files === "strictatime" ? 0 : FOPEN_KEEP_CACHE) | noFlush }
      directory = { fh: 0, openFlags: directories === "strictatime" ? 0 : FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR }
    }
  }
}

/** The kernel keeps nothing: others change files and directories without its knowing. */
export const uncachedOpening: Opening = {
  file: () => ({ fh: 0, openFlags: FOPEN_DIRECT_IO | FOPEN_NOFLUSH }),
  directory: () => ({ fh: 0, openFlags: 0 }),
  follow: () => {}
}

/** O_TRUNC of a create that finds the file there; an open's comes as a SETATTR. */
export const truncateOnCreate = (fs: Filesystem, inode: Inode, openFlags: number, context: RequestContext): void => {
  fs.resize(inode, 0)
  if ((openFlags & FUSE_OPEN_KILL_SUIDGID) !== 0) killSuidSgid(inode, context)
  dropCapability(fs, inode)
  const at = fs.now()
  inode.mtime = at
  inode.ctime = at
}

export const openOperations = (fs: Filesystem, opening: Opening): Required<Pick<Backend, "open" | "opendir">> => ({
  open: ({ nodeid }) => (fs.node(nodeid) === undefined ? Errno.ESTALE : Exit.succeed(opening.file())),
  opendir: ({ nodeid }) => (fs.node(nodeid) === undefined ? Errno.ESTALE : Exit.succeed(opening.directory()))
})

/** Nothing was opened, so nothing is closed. */
export const releasedir = (): typeof done => done
