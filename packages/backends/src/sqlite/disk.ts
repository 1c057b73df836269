/** The room there is on the disk that a store lies on. */
import type { DatabaseSync } from "node:sqlite"
import { type StatsFs, statfsSync } from "node:fs"
import { blockSize } from "../posix/usage.ts"
import type { Collector } from "./collector.ts"
import { prepareQuery } from "./query.ts"
import { sparePages } from "./reserve.ts"

/**
 * Bytes that are left free, so that on a full disk what gives room, and all the rest, still works: the
 * write-ahead log grows before the store shrinks.
 */
const reserve = 32 * 1024 * 1024
/** Of a small disk no more than this part is left free. */
const reservedPart = 1 / 8
/** The disk is asked again after so many blocks, or at each call when fewer are left. */
const trusted = 4096

const diskOf = (path: string): StatsFs => {
  try {
    return statfsSync(path)
  } catch (error) {
    // Its errno is none of the caller's, who would take it for the file it writes.
    throw new Error(`${path}: the store's file cannot be found any more`, { cause: error })
  }
}

/**
 * What the collector has yet to remove is room, too. `isHeld` says that the log and the store's pages have their blocks:
 * then what is free within the store can be used to the last page but a few.
 */
export const makeDisk = (
  db: DatabaseSync,
  path: string,
  collector: Pick<Collector, "blocks" | "reclaim">,
  isHeld: () => boolean
) => {
  const freePages = prepareQuery<[number]>(db, "PRAGMA freelist_count")
  let left = 0
  let taken = trusted
  /** Blocks that are free at once: of the disk, and within the store. */
  const ask = (): number => {
    const { bavail, blocks, bsize } = diskOf(path)
    const kept = Math.min(reserve, blocks * bsize * reservedPart)
    const ofDisk = Math.floor((bavail * bsize - kept) / blockSize)
    const ofStore = (freePages.get()?.[0] ?? 0) - (ofDisk < sparePages ? sparePages : 0)
    taken = 0
    return isHeld() ? Math.max(0, ofDisk) + Math.max(0, ofStore) : Math.max(0, ofDisk + ofStore)
  }
  return {
    /** Blocks of 4096 bytes that may be added. */
    room: (): number => {
      if (taken < trusted && left - taken >= trusted) return left - taken
      left = ask()
      if (left < trusted) {
        // Small pieces of content need free pages; each gives the collector's rows some.
        collector.reclaim(trusted)
        left = ask() + collector.blocks()
      }
      return left
    },
    /** So many were added, or given back. */
    took: (blocks: number): void => {
      taken += Math.max(0, blocks)
    }
  }
}
