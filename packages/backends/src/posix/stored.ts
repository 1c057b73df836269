/** What filesystems that are kept in a database have in common: what they can do, and how rows hold their inodes. */
import type { Statfs, Timespec, U64 } from "@bickford/protocol"
import { Inode } from "./inode.ts"
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

/** How many columns `attributeColumns` gives. */
export const attributeColumnCount = 15

/**
 * The inode whose row has these columns first, as `attributeColumns` gives them; what it contains is left to the store.
 * `exact` reads a column as the database gives it, and throws on what is not an integer.
 */
export const inodeOfColumns = <Column>(
  ino: number,
  columns: ReadonlyArray<Column>,
  exact: (column: Column | undefined) => U64,
  { attrValid, entryValid }: { readonly entryValid: Timespec; readonly attrValid: Timespec }
): Inode => {
  const [mode, nlink, uid, gid, rdev, size, blocks, atime, atimeNsec, mtime, mtimeNsec, ctime, ctimeNsec, ...rest] =
    columns
  const number = (column: Column | undefined): number => Number(exact(column))
  const time = (sec: Column | undefined, nsec: Column | undefined): Timespec => ({
    sec: exact(sec),
    nsec: number(nsec)
  })
  const born = time(rest[0], rest[1])
  const inode = new Inode(ino, 0, number(mode), number(uid), number(gid), number(rdev), born, entryValid, attrValid)
  inode.nlink = number(nlink)
  inode.size = exact(size)
  inode.blocks = number(blocks)
  inode.atime = time(atime, atimeNsec)
  inode.mtime = time(mtime, mtimeNsec)
  inode.ctime = time(ctime, ctimeNsec)
  return inode
}
