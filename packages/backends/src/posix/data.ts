/** What reads and changes the bytes of regular files. */
import { type Backend, Errno } from "@bickford/session"
import * as Exit from "effect/Exit"
import { contentChanged, roomFor } from "./content.ts"
import { copyFileRange } from "./copyFileRange.ts"
import { fallocate } from "./fallocate.ts"
import { type Filesystem, notRegular } from "./filesystem.ts"
import type { KernelPages } from "./kernelPages.ts"
import {
  FUSE_WRITE_CACHE,
  FUSE_WRITE_KILL_SUIDGID,
  O_APPEND,
  O_NOATIME,
  S_ISGID,
  S_ISUID,
  SEEK_DATA,
  SEEK_HOLE
} from "./linux.ts"
import { killSuidSgid } from "./privileges.ts"
import { add, fileSizeMax, min, subtract } from "@bickford/protocol/arithmetic"

const nothing: Exit.Exit<Uint8Array> = Exit.succeed(new Uint8Array(0))

export const dataOperations = (
  fs: Filesystem,
  pages: KernelPages
): Required<Pick<Backend, "read" | "write" | "fallocate" | "lseek" | "copyFileRange">> => {
  // Programs write in pieces of one size, and to make an Exit costs as much as to find where the piece belongs.
  let lastSize = 0
  let lastWritten: Exit.Exit<number> = Exit.succeed(0)
  const written = (size: number): Exit.Exit<number> => {
    if (size !== lastSize) {
      lastSize = size
      lastWritten = Exit.succeed(size)
    }
    return lastWritten
  }

  return {
    read: ({ flags, nodeid, offset, size }) => {
      pages.used(nodeid, flags)
      const inode = fs.node(nodeid)
      const refused = notRegular(inode)
      if (refused !== undefined || inode === undefined) return refused ?? Errno.ESTALE
      if ((flags & O_NOATIME) === 0) fs.accessed(inode)
      if (offset >= inode.size) return nothing
      const length = Math.min(size, Number(subtract(inode.size, offset)))
      return Exit.succeed(fs.bytes(inode).read(offset, length))
    },

    write: ({ data, flags, nodeid, offset, writeFlags }, context) => {
      const inode = fs.node(nodeid)
      const refused = notRegular(inode)
      if (refused !== undefined || inode === undefined) return refused ?? Errno.ESTALE
      if (data.length === 0) return written(0)
      pages.used(nodeid, flags)
      const cached = (writeFlags & FUSE_WRITE_CACHE) !== 0
      const start = (flags & O_APPEND) !== 0 && !cached ? inode.size : offset
      // A number is far from the limit.
      if (typeof start === "bigint" && start >= fileSizeMax) return Errno.EFBIG
      const wanted =
        typeof start === "number" ? data.length : Math.min(data.length, Number(subtract(fileSizeMax, start)))
      const chunks = fs.bytes(inode)
      const size = roomFor(fs, inode, chunks, start, wanted)
      if (typeof size !== "number") return size
      // What the kernel writes back it cannot take back: all or nothing.
      if (cached && size < data.length) return fs.usage.noRoom(inode.uid)
      chunks.write(start, size === data.length ? data : data.subarray(0, size))
      fs.recount(inode, chunks)
      const end = add(start, size)
      if (end > inode.size) inode.size = end
      if (
        (inode.mode & (S_ISUID | S_ISGID)) !== 0 &&
        ((writeFlags & FUSE_WRITE_KILL_SUIDGID) !== 0 || (!cached && context.uid !== 0))
      ) {
        killSuidSgid(inode, context)
      }
      contentChanged(fs, inode)
      return written(size)
    },

    fallocate: fallocate(fs),

    lseek: ({ nodeid, offset, whence }) => {
      const inode = fs.node(nodeid)
      const refused = notRegular(inode)
      if (refused !== undefined || inode === undefined) return refused ?? Errno.ESTALE
      if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return Errno.EINVAL
      if (offset >= inode.size) return Errno.ENXIO
      const chunks = fs.bytes(inode)
      if (whence === SEEK_HOLE) return Exit.succeed(min(inode.size, chunks.hole(offset)))
      const data = chunks.data(offset)
      return data === undefined || data >= inode.size ? Errno.ENXIO : Exit.succeed(data)
    },

    copyFileRange: copyFileRange(fs)
  }
}
