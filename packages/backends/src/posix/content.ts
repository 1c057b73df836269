/** What every change of a file's bytes does: finds room before, and sets the times after. */
import type { U64 } from "@bickford/protocol"
import { add } from "@bickford/protocol/arithmetic"
import type { Bytes } from "./bytes.ts"
import type { Filesystem } from "./filesystem.ts"
import type { Inode } from "./inode.ts"
import { dropCapability } from "./privileges.ts"

/** Sets mtime and ctime, and drops a file capability, as a write does. */
export const contentChanged = (fs: Filesystem, inode: Inode): void => {
  const at = fs.now()
  inode.mtime = at
  inode.ctime = at
  dropCapability(fs, inode)
}

/** Returns how many bytes of [offset, offset + size) there is room for; ENOSPC or EDQUOT when for none. */
export const roomFor = (fs: Filesystem, inode: Inode, chunks: Bytes, offset: U64, size: number) => {
  const missing = chunks.missing(offset, add(offset, size))
  if (missing === 0) return size
  const room = fs.usage.room(inode.uid)
  if (missing <= room) return size
  const fitting = chunks.fitting(offset, size, room)
  return fitting === 0 ? fs.usage.noRoom(inode.uid) : fitting
}
