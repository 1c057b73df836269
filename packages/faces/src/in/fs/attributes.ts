/** From `fs.Stats` to what the kernel is told. */
import { fileType, type PathAttributes } from "@bickford/backends"
import { statMode, type Timespec } from "@bickford/protocol"
import type { FsStats } from "./FsLike.ts"

const { S_IFMT } = statMode
const billion = 1_000_000_000n

const typeOf = (stats: FsStats): number =>
  stats.isDirectory() ? fileType.dir : stats.isSymbolicLink() ? fileType.lnk : fileType.reg

const timeOf = (nanoseconds: bigint | undefined, milliseconds: number | bigint | undefined): Timespec | undefined => {
  if (nanoseconds !== undefined) {
    const nsec = ((nanoseconds % billion) + billion) % billion
    return { sec: Number((nanoseconds - nsec) / billion), nsec: Number(nsec) }
  }
  if (milliseconds === undefined) return undefined
  const whole = Number(milliseconds)
  const sec = Math.floor(whole / 1000)
  return { sec, nsec: Math.min(999_999_999, Math.round((whole - sec * 1000) * 1e6)) }
}

const optional = (value: number | bigint | undefined): number | undefined =>
  value === undefined ? undefined : Number(value)

/** What a filesystem says of a file, in the kernel's terms. An inode number of 0, and a link count that cannot be, are none. */
export const attributesOf = (stats: FsStats): PathAttributes => {
  const mode = Number(stats.mode)
  const type = (mode & S_IFMT) === 0 ? typeOf(stats) : 0
  const nlink = optional(stats.nlink)
  const uid = optional(stats.uid)
  const gid = optional(stats.gid)
  const atime = timeOf(stats.atimeNs, stats.atimeMs)
  const mtime = timeOf(stats.mtimeNs, stats.mtimeMs)
  const ctime = timeOf(stats.ctimeNs, stats.ctimeMs)
  return {
    // A link's permissions count for nothing, and are shown as symlink(7) has them.
    mode: stats.isSymbolicLink() ? fileType.lnk | 0o777 : type | mode,
    size: typeof stats.size === "bigint" ? Number(stats.size) : stats.size,
    ...(nlink !== undefined && nlink >= (stats.isDirectory() ? 2 : 1) && { nlink }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
    ...(stats.ino !== undefined && Number(stats.ino) !== 0 && { ino: stats.ino }),
    ...(stats.rdev !== undefined && { rdev: Number(stats.rdev) }),
    ...(stats.blocks !== undefined && Number(stats.blocks) !== 0 && { blocks: stats.blocks }),
    ...(atime && { atime }),
    ...(mtime && { mtime }),
    ...(ctime && { ctime })
  }
}
