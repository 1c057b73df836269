/** A request of each operation, as a kernel would send it. */
import type { FakeKernel } from "@bickford/session/testing"
import { epoch } from "./hello.ts"

const io = { fh: 0, offset: 0, lockOwner: 0, flags: 0 }
export const lock = { fh: 0, owner: 1, lk: { start: 0, end: 10, type: 0, pid: 1 }, lkFlags: 0 }
const opening = { flags: 2, openFlags: 0 }
const naming = { name: "x", mode: 0o100644, umask: 0 }
/** All but those that need shared memory (virtiofs). */
export const requests: ReadonlyArray<FakeKernel.RequestInput> = [
  { op: "lookup", name: "x" },
  { op: "getattr", getattrFlags: 0, fh: 0 },
  { op: "readlink" },
  { op: "symlink", name: "x", target: "y" },
  {
    op: "setattr",
    valid: 1,
    fh: 0,
    size: 0,
    lockOwner: 0,
    atime: epoch,
    mtime: epoch,
    ctime: epoch,
    mode: 0,
    newUid: 0,
    newGid: 0
  },
  { op: "mknod", ...naming, rdev: 0 },
  { op: "mkdir", ...naming },
  { op: "unlink", name: "x" },
  { op: "rmdir", name: "x" },
  { op: "rename", name: "x", newdir: 1, newname: "y", flags: 0 },
  { op: "link", oldnodeid: 2, newname: "x" },
  { op: "open", ...opening },
  { op: "read", ...io, size: 4096, readFlags: 0 },
  { op: "write", ...io, size: 3, writeFlags: 0, data: Buffer.from("abc") },
  { op: "statfs" },
  { op: "release", fh: 0, flags: 0, releaseFlags: 0, lockOwner: 0 },
  { op: "fsync", fh: 0, fsyncFlags: 0 },
  { op: "setxattr", name: "user.a", value: Buffer.from("v"), flags: 0, setxattrFlags: 0 },
  { op: "getxattr", name: "user.a", size: 100 },
  { op: "listxattr", size: 100 },
  { op: "removexattr", name: "user.a" },
  { op: "flush", fh: 0, lockOwner: 0 },
  { op: "opendir", ...opening },
  { op: "readdir", ...io, size: 4096, readFlags: 0 },
  { op: "readdirplus", ...io, size: 4096, readFlags: 0 },
  { op: "releasedir", fh: 0, flags: 0, releaseFlags: 0, lockOwner: 0 },
  { op: "fsyncdir", fh: 0, fsyncFlags: 0 },
  { op: "getlk", ...lock },
  { op: "setlk", ...lock },
  { op: "setlkw", ...lock },
  { op: "access", mask: 4 },
  { op: "create", ...naming, ...opening },
  { op: "bmap", block: 0, blocksize: 512 },
  { op: "ioctl", fh: 0, flags: 0, cmd: 1, arg: 0, inSize: 0, outSize: 16, data: Buffer.alloc(0) },
  { op: "poll", fh: 0, kh: 1, flags: 0, events: 1 },
  { op: "fallocate", fh: 0, offset: 0, length: 10, mode: 0 },
  { op: "lseek", fh: 0, offset: 0, whence: 3 },
  { op: "copyFileRange", fhIn: 0, offIn: 0, nodeidOut: 1, fhOut: 0, offOut: 0, len: 10, flags: 0, wide: false },
  { op: "syncfs" },
  { op: "tmpfile", name: "x", mode: 0o100644, umask: 0, ...opening },
  { op: "statx", getattrFlags: 0, fh: 0, sxFlags: 0, sxMask: 0xfff }
]
