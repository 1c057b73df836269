/** What reads and changes the bytes of regular files. */
import { type Backend, Errno } from "@bickford/session"
import * as Exit from "effect/Exit"
import type { Bytes } from "./bytes.ts"
import { done, type Filesystem, notRegular } from "./filesystem.ts"
import { type Inode, isRegular } from "./inode.ts"
import type { KernelPages } from "./kernelPages.ts"
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  FUSE_WRITE_CACHE,
  FUSE_WRITE_KILL_SUIDGID,
  O_APPEND,
  O_NOATIME,
  S_ISGID,
  S_ISUID,
  SEEK_DATA,
  SEEK_HOLE
} from "./linux.ts"
import { dropCapability, killSuidSgid } from "./privileges.ts"
import { add, fileSizeMax, min, subtract } from "@bickford/protocol/arithmetic"

const nothing: Exit.Exit<Uint8Array> = Exit.succeed(new Uint8Array(0))

/** Bytes of data that one COPY_FILE_RANGE copies at the most: others wait for it. */
const copyMax = 64 * 1024 * 1024
/** Bytes that are read and written in one go. */
const copyStep = 128 * 1024
/** As how many bytes of data a hole counts that is copied. */
const holeCost = 16 * 1024
/** A file with more blocks is given no longer hole than this in one go, which counts as more. */
const largeTarget = 16 * 1024
const largeTargetHole = 64 * 1024 * 1024
const largeTargetCost = copyMax / 4
/** What the 32-bit reply of COPY_FILE_RANGE can say. */
const narrowCopyMax = 0x7ffff000

export const dataOperations = (
  fs: Filesystem,
  pages: KernelPages
): Required<Pick<Backend, "read" | "write" | "fallocate" | "lseek" | "copyFileRange">> => {
  const changed = (inode: Inode): void => {
    const at = fs.now()
    inode.mtime = at
    inode.ctime = at
    dropCapability(fs, inode)
  }

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

  /** Bytes of [offset, offset + size) for which there is room; a failure when for none. */
  const roomFor = (inode: Inode, chunks: Bytes, offset: number | bigint, size: number) => {
    const missing = chunks.missing(offset, add(offset, size))
    if (missing === 0) return size
    const room = fs.usage.room(inode.uid)
    if (missing <= room) return size
    const fitting = chunks.fitting(offset, size, room)
    return fitting === 0 ? fs.usage.noRoom(inode.uid) : fitting
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
      const wanted = typeof start === "number" ? data.length : Math.min(data.length, Number(subtract(fileSizeMax, start)))
      const chunks = fs.bytes(inode)
      const size = roomFor(inode, chunks, start, wanted)
      if (typeof size !== "number") return size
      // What the kernel writes back it cannot take back: all or nothing.
      if (cached && size < data.length) return fs.usage.noRoom(inode.uid)
      chunks.write(start, size === data.length ? data : data.subarray(0, size))
      fs.recount(inode, chunks)
      const end = add(start, size)
      if (end > inode.size) inode.size = end
      if ((inode.mode & (S_ISUID | S_ISGID)) !== 0 && ((writeFlags & FUSE_WRITE_KILL_SUIDGID) !== 0 || (!cached && context.uid !== 0))) {
        killSuidSgid(inode, context)
      }
      changed(inode)
      return written(size)
    },

    fallocate: ({ length, mode, nodeid, offset }) => {
      const inode = fs.node(nodeid)
      const refused = notRegular(inode)
      if (refused !== undefined || inode === undefined) return refused ?? Errno.ESTALE
      if (length <= 0) return Errno.EINVAL
      const end = add(offset, length)
      if (end > fileSizeMax) return Errno.EFBIG
      const keepSize = (mode & FALLOC_FL_KEEP_SIZE) !== 0
      const action = mode & ~FALLOC_FL_KEEP_SIZE
      const chunks = fs.bytes(inode)
      if (action === FALLOC_FL_PUNCH_HOLE) {
        if (!keepSize) return Errno.ENOTSUP
        // The last block has nothing to keep beyond the end of the file.
        chunks.punch(offset, end >= inode.size ? undefined : end)
      } else if (action === FALLOC_FL_ZERO_RANGE || action === 0) {
        if (chunks.missing(offset, end) > fs.usage.room(inode.uid)) return fs.usage.noRoom(inode.uid)
        if (action === FALLOC_FL_ZERO_RANGE) chunks.zero(offset, end)
        chunks.allocate(offset, end)
        if (!keepSize && end > inode.size) inode.size = end
      } else return Errno.ENOTSUP
      fs.recount(inode, chunks)
      changed(inode)
      return done
    },

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

    copyFileRange: ({ len, nodeid, nodeidOut, offIn, offOut, wide }) => {
      const source = fs.node(nodeid)
      const target = fs.node(nodeidOut)
      if (source === undefined || target === undefined) return Errno.ESTALE
      if (!isRegular(source) || !isRegular(target)) return Errno.EINVAL
      if (offOut >= fileSizeMax && len > 0) return Errno.EFBIG
      if (offIn >= source.size || len <= 0) return Exit.succeed(0)
      let left = min(min(len, subtract(source.size, offIn)), subtract(fileSizeMax, offOut))
      if (!wide) left = min(left, narrowCopyMax)
      if (source === target && offIn < add(offOut, left) && offOut < add(offIn, left)) return Errno.EINVAL

      const from = fs.bytes(source)
      const to = fs.bytes(target)
      let copied: number | bigint = 0
      let budget = copyMax
      let failure: typeof Errno.ENOSPC | typeof Errno.EDQUOT | undefined
      while (left > 0 && budget > 0) {
        const at = add(offIn, copied)
        const destination = add(offOut, copied)
        const data = from.data(at)
        if (data === undefined || data > at) {
          // A hole stays one, except where it only covers a part of an allocated block.
          const large = to.blocks > largeTarget
          const whole = data === undefined ? left : min(left, subtract(data, at))
          const hole = large ? min(whole, largeTargetHole) : whole
          to.punch(destination, add(destination, hole))
          copied = add(copied, hole)
          left = subtract(left, hole)
          budget -= large ? largeTargetCost : holeCost
          continue
        }
        const step = Number(min(min(left, budget), min(copyStep, subtract(from.hole(at, add(at, copyStep)), at))))
        // What a hole gave back may be needed here.
        fs.recount(target, to)
        const size = roomFor(target, to, destination, step)
        if (typeof size !== "number") {
          failure = size
          break
        }
        let written = 0
        const views = from.read(at, size)
        for (const view of views instanceof Uint8Array ? [views] : views) {
          to.write(add(destination, written), view)
          written += view.length
        }
        copied = add(copied, size)
        left = subtract(left, size)
        budget -= size
      }
      fs.recount(target, to)
      if (copied === 0) return failure ?? Exit.succeed(0)
      const end = add(offOut, copied)
      if (end > target.size) target.size = end
      changed(target)
      return Exit.succeed(copied)
    }
  }
}
