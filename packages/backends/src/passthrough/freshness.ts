/**
 * Whether what the kernel keeps of a file or a directory is still as it is, though others change them: told by its
 * times, mtime and ctime both, since mtime can be set back (utimensat(2), as rsync and touch do).
 */
import type { Timespec } from "@bickford/protocol"
import { statfsSync } from "node:fs"
import { files } from "@bickford/transport"
import type { Attributes } from "./attributes.ts"
import type { Node } from "./node.ts"

/** Milliseconds after which a change has other times than the one before it, by the coarsest of the kernel's clocks. */
const settledAfter = 50
/** Likewise, where times are whole seconds (ext3, ext4 with inodes of 128 bytes) or, on FAT, even ones. */
const settledAfterCoarse = 2100

/** statfs(2)'s types of filesystems whose times are by this machine's clock: ext, XFS, Btrfs, tmpfs, overlayfs, F2FS, ZFS, FAT, exFAT. */
const localTypes = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0xf2f52010, 0x2fc12fc1, 0x4d44, 0x2011bab0
])

const isSameTime = (one: Timespec, other: Timespec): boolean => one.nsec === other.nsec && one.sec === other.sec

export type Freshness =
  /** What the kernel has is right. */
  | "same"
  /** What the kernel reads from now on may be kept. */
  | "settled"
  /** It may change again with the same times. */
  | "unsettled"

/** Looks at an open file, and notes what it saw with its node. */
export const makeFreshness = (attributes: Attributes): ((node: Node, fd: number) => Freshness) => {
  const isLocal = new Map<number, boolean>()

  const hasOwnClock = (fd: number): boolean => {
    const device = attributes.device()
    const known = isLocal.get(device)
    if (known !== undefined) return known
    const local = localTypes.has(statfsSync(`/proc/self/fd/${fd}`).type >>> 0)
    isLocal.set(device, local)
    return local
  }

  return (node, fd) => {
    if (files.fs_stat(fd) < 0) return "unsettled"
    const ctime = attributes.ctime()
    const mtime = attributes.mtime()
    const { sighting } = node
    const isSame = sighting !== undefined && isSameTime(sighting.ctime, ctime) && isSameTime(sighting.mtime, mtime)
    if (isSame && sighting.settled) return "same"
    const now = performance.now()
    const since = isSame ? sighting.since : now
    // Another machine's clock tells nothing here: its times have to last.
    const age = hasOwnClock(fd) ? Date.now() - Number(ctime.sec) * 1000 - ctime.nsec / 1e6 : now - since
    const settled = age > (ctime.nsec === 0 ? settledAfterCoarse : settledAfter)
    node.sighting = { ctime, mtime, since, settled }
    return settled ? "settled" : "unsettled"
  }
}
