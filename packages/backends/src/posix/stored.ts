/** What filesystems that are kept in a database have in common: what they can do, and how rows hold their inodes. */
import type { Statfs, U64 } from "@bickford/protocol"
import type { Inode } from "./inode.ts"
import { nameMax } from "./linux.ts"
import { blockSize } from "./usage.ts"

/** What INIT is asked for. */
export const storedCapabilities = {
  autoInvalData: false,
  asyncDio: false,
  exportSupport: true,
  handleKillprivV2: true,
  cacheSymlinks: true,
  allowIdmap: true
}

/** Blocks of `blockSize` bytes, and inodes. */
interface Counts {
  readonly blocks: number
  readonly inodes: number
}

/** The answer to STATFS, from what there may be and what there is. */
export const statfsOf = (limits: Counts, used: Counts): Statfs => {
  const free = Math.max(0, limits.blocks - used.blocks)
  return {
    blocks: limits.blocks,
    bfree: free,
    bavail: free,
    files: limits.inodes,
    ffree: limits.inodes - used.inodes,
    bsize: blockSize,
    namelen: nameMax,
    frsize: blockSize
  }
}

/** The columns of an inode's attributes, in the order of the tables: from `mode` to `btimeNsec`. */
export const attributeColumns = (inode: Inode): ReadonlyArray<U64> => [
  inode.mode,
  inode.nlink,
  inode.uid,
  inode.gid,
  inode.rdev,
  inode.size,
  inode.blocks,
  inode.atime.sec,
  inode.atime.nsec,
  inode.mtime.sec,
  inode.mtime.nsec,
  inode.ctime.sec,
  inode.ctime.nsec,
  inode.btime.sec,
  inode.btime.nsec
]
