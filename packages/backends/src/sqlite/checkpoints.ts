/** Checkpoints of the write-ahead log: when it is long, and copying it into the store's file. */
import { fstatSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import { prepareQuery } from "./query.ts"
import type { Reserve } from "./reserve.ts"

/** Frames after which the log is copied into the store, about 4 MiB (SQLite's own default). */
const longLogMax = 1000
/** Bytes of a frame: a page and its header. */
const frameBytes = 4096 + 24

export interface Checkpoints {
  /** Counts pages that a transaction is about to change. */
  readonly counted: (pages: number) => void
  readonly isLong: () => boolean
  /** Copies what nobody reads any more; throws as SQLite does. */
  readonly run: () => void
  /** After an attempt that failed: the next is made when the log is as long again. */
  readonly postpone: () => void
  /** Copies all of the log, and cuts it to nothing. Throws when that could not be completed. */
  readonly empty: () => void
}

/** How near to long a log is that needs no closer look: of looks there would be no end. */
const nearlyLong = 0.9

/**
 * Asks how many frames the log has, and copies none; undefined where SQLite is older than 3.51, which takes the word for
 * PASSIVE (https://www.sqlite.org/pragma.html#pragma_wal_checkpoint).
 */
const prepareFrameCount = (db: DatabaseSync): (() => number) | undefined => {
  const [major = 0, minor = 0] = (process.versions["sqlite"] ?? "").split(".").map(Number)
  if (major < 3 || (major === 3 && minor < 51)) return undefined
  const noop = prepareQuery<[busy: number, frames: number]>(db, "PRAGMA wal_checkpoint(NOOP)")
  return () => noop.get()?.[1] ?? 0
}

/** `fd` is the log's. */
export const makeCheckpoints = (db: DatabaseSync, fd: number, reserve: Reserve): Checkpoints => {
  const passive = prepareQuery<[busy: number, frames: number, copied: number]>(db, "PRAGMA wal_checkpoint(PASSIVE)")
  const truncate = prepareQuery<[busy: number]>(db, "PRAGMA wal_checkpoint(TRUNCATE)")
  const frameCount = prepareFrameCount(db)
  // A transaction finds at least half of what the log holds.
  const longLog = Math.min(longLogMax, Math.floor(reserve.logBytes / 2 / frameBytes))
  /** Frames that the log was seen to have, and pages that were counted since. */
  let seen = Math.floor(fstatSync(fd).size / frameBytes)
  let pages = 0
  /** Pages counted since the last checkpoint, and frames of the log for each, as the last one has shown. */
  let allPages = seen
  let framesPerPage = 1

  const begin = (): void => {
    seen = 0
    pages = 0
    allPages = 0
  }

  return {
    counted: (more) => {
      pages += more
      allPages += more
    },
    isLong: () => {
      if (seen + pages * framesPerPage < longLog) return false
      if (frameCount === undefined) return true
      // A row of 64 KiB of which a block has changed counts as 17 pages, and SQLite logs two of them.
      seen = frameCount()
      pages = 0
      return seen >= longLog * nearlyLong
    },
    run: () => {
      const row = passive.get()
      if (row !== undefined && allPages > 0 && row[1] > 0)
        framesPerPage = Math.min(4, Math.max(0.25, row[1] / allPages))
      begin()
      reserve.renew()
    },
    postpone: begin,
    empty: () => {
      const row = truncate.get()
      if (row?.[0] !== 0) throw new Error("the checkpoint could not be completed")
      begin()
      reserve.renew()
    }
  }
}
