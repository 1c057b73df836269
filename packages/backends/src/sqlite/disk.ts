/** The room there is on the disk that a store lies on. */
import type { DatabaseSync } from "node:sqlite"
import { statfsSync } from "node:fs"
import { blockSize } from "../posix/usage.ts"
import { prepareQuery } from "./query.ts"

/**
 * Bytes that are left free, so that on a full disk what gives room, and all the rest, still works: the
 * write-ahead log grows before the store shrinks.
 */
const reserve = 32 * 1024 * 1024
/** Of a small disk no more than this part is left free. */
const reservedPart = 1 / 8
/** The disk is asked again after so many blocks, or at each call when fewer are left. */
const trusted = 4096

/** `reclaim` frees what the store holds for later. */
export const makeDisk = (db: DatabaseSync, path: string, reclaim: () => void) => {
  const freePages = prepareQuery<[number]>(db, "PRAGMA freelist_count")
  let left = 0
  let taken = trusted
  const ask = (): number => {
    const { bavail, blocks, bsize } = statfsSync(path)
    const kept = Math.min(reserve, blocks * bsize * reservedPart)
    taken = 0
    return Math.max(0, Math.floor((bavail * bsize - kept) / blockSize) + (freePages.get()?.[0] ?? 0))
  }
  return {
    /** Blocks of 4096 bytes that may be added. */
    room: (): number => {
      if (taken < trusted && left - taken >= trusted) return left - taken
      left = ask()
      if (left < trusted) {
        reclaim()
        left = ask()
      }
      return left
    },
    /** So many were added, or given back. */
    took: (blocks: number): void => {
      taken += Math.max(0, blocks)
    }
  }
}
