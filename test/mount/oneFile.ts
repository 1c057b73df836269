/** A backend with one file, `file`, node 2, of five bytes; nothing is cached, and each test replaces what it needs. */
import { openReplyFlags } from "@bickford/protocol"
import { type Backend, Errno } from "@bickford/session"
import * as Exit from "effect/Exit"

const epoch = { sec: 0, nsec: 0 }

const attr = (ino: number) => ({
  ino,
  mode: ino === 1 ? 0o40777 : 0o100666,
  size: 5,
  blocks: 1,
  nlink: 1,
  uid: 0,
  gid: 0,
  rdev: 0,
  blksize: 4096,
  flags: 0,
  atime: epoch,
  mtime: epoch,
  ctime: epoch
})

const fileEntry = { nodeid: 2, generation: 0, entryValid: epoch, attrValid: epoch, attr: attr(2) }

export const oneFile = (more: Partial<Backend> = {}): Backend => ({
  getattr: ({ nodeid }) => Exit.succeed({ attrValid: epoch, attr: attr(Number(nodeid)) }),
  lookup: ({ name }) => (name === "file" ? Exit.succeed(fileEntry) : Errno.ENOENT),
  // Else the kernel reads ahead, and asks a second time for what failed.
  open: () => Exit.succeed({ fh: 0, openFlags: openReplyFlags.FOPEN_DIRECT_IO }),
  write: ({ size }) => Exit.succeed(size),
  setattr: ({ nodeid }) => Exit.succeed({ attrValid: epoch, attr: attr(Number(nodeid)) }),
  ...more,
  // The end of the file is nobody's business.
  read: (request, context) => {
    if (request.offset > 0) return Exit.succeed(new Uint8Array(0))
    return more.read === undefined ? Exit.succeed(Buffer.from("hello")) : more.read(request, context)
  }
})
