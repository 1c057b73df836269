/** Times of the last read, as the mount option relatime has it (mount(8)). */
import type { Timespec } from "@bickford/session"
import { notAfter } from "./clock.ts"
import type { Inode } from "./inode.ts"

const relatimeSeconds = 24 * 60 * 60

/** Marks a read when it is the first since a change, or since a day ago. Whether it was marked. */
export const markRead = (inode: Inode, now: () => Timespec): boolean => {
  const { atime } = inode
  const at = now()
  if (
    !notAfter(atime, inode.mtime) && !notAfter(atime, inode.ctime) && Number(at.sec) - Number(atime.sec) < relatimeSeconds
  ) return false
  inode.atime = at
  return true
}
