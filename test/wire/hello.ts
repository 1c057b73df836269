/** A backend with one file, `hello`, under the root; what a test needs more, it adds. */
import { type Backend, Errno } from "@bickford/session"
import * as Exit from "effect/Exit"

export const epoch = { sec: 0, nsec: 0 }
export const attr = (ino: number, mode: number) => ({
  ino,
  size: 5,
  blocks: 1,
  atime: epoch,
  mtime: epoch,
  ctime: epoch,
  mode,
  nlink: 1,
  uid: 0,
  gid: 0,
  rdev: 0,
  blksize: 4096,
  flags: 0
})
export const file = { nodeid: 2, generation: 0, entryValid: epoch, attrValid: epoch, attr: attr(2, 0o100644) }

export const hello = (more: Partial<Backend> = {}): Backend => ({
  lookup: (request) => (request.name === "hello" ? Exit.succeed(file) : Errno.ENOENT),
  getattr: (request) =>
    Exit.succeed({ attrValid: epoch, attr: request.nodeid === 1 ? attr(1, 0o40755) : attr(2, 0o100644) }),
  read: () => Exit.succeed(new TextEncoder().encode("hello")),
  ...more
})
