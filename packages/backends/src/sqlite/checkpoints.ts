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

/** `fd` is the log's. */
export const makeCheckpoints = (db: DatabaseSync, fd: number, reserve: Reserve): Checkpoints => {
  const passive = prepareQuery<[busy: number, frames: number, copied: number]>(db, "PRAGMA wal_checkpoint(PASSIVE)")
  const truncate = prepareQuery<[busy: number]>(db, "PRAGMA wal_checkpoint(TRUNCATE)")
  // A transaction finds at least half of what the log holds.
  const longLog = Math.min(longLogMax, Math.floor(reserve.logBytes / 2 / frameBytes))
  /** Pages that were counted since the last checkpoint, and frames of the log for each, as the last one has shown. */
  let pages = Math.floor(fstatSync(fd).size / frameBytes)
  let framesPerPage = 1

  return {
    counted: (more) => {
      pages += more
    },
    isLong: () => pages * framesPerPage >= longLog,
    run: () => {
      const row = passive.get()
      if (row !== undefined && pages > 0 && row[1] > 0) framesPerPage = Math.min(4, Math.max(0.25, row[1] / pages))
      pages = 0
      reserve.renew()
    },
    postpone: () => {
      pages = 0
    },
    empty: () => {
      const row = truncate.get()
      if (row?.[0] !== 0) throw new Error("the checkpoint could not be completed")
      pages = 0
      reserve.renew()
    }
  }
}
