/**
 * The write-ahead log of a store: makes commits permanent, copies them into the store's file, and mends the log after
 * the disk has failed it.
 *
 * After a failed fsync Linux marks the pages clean, and the next fsync succeeds though they never reached the disk.
 * Recovery stops at such a hole, so everything later would be lost with it. Hence after a failed fsync nothing is
 * acknowledged until the log was written anew, and a checkpoint has moved all of it into the store's file.
 */
import { constants, fstatSync, ftruncateSync, fsyncSync, openSync, closeSync, readSync, writeSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import { isFsyncFailure, isFull, StoreFailure } from "./errors.ts"
import { prepareQuery } from "./query.ts"
import { openReserve, type Reserve } from "./reserve.ts"
import { type ValidFrames, validFrames } from "./walFrames.ts"

/** Frames after which the log is copied into the store, about 4 MiB (SQLite's own default). */
const longLogMax = 1000
/** Bytes of a frame: a page and its header. */
const frameBytes = 4096 + 24
/** Bytes that are written anew in one go. */
const pieceBytes = 1 << 20
/** An attempt to mend that took longer than this, milliseconds, is followed by a pause of so many times as long. */
const slowAttempt = 250
const pauses = 4

/** A store's log, from its opening to its closing. */
export interface WriteAheadLog {
  /** Waits until every commit is on the disk. Throws `StoreFailure` when the disk fails. */
  readonly sync: () => void
  /** Counts pages that a transaction is about to change. */
  readonly counted: (pages: number) => void
  /** After a commit: copies a long log into the store. Throws `StoreFailure` when that fails for another reason than room. */
  readonly checkpointIfLong: () => void
  /** After the disk was full: copies the log into the store, so that it can begin again at its start. */
  readonly makeRoom: () => void
  /** Takes what a commit threw: whether from now on nothing can be acknowledged. */
  readonly note: (error: unknown) => void
  /** False after a failed fsync, until `mend` has succeeded. */
  readonly isSafe: () => boolean
  /** Makes every commit permanent after a failed fsync; no transaction may be open. Throws `StoreFailure` when it cannot. */
  readonly mend: () => void
  readonly close: () => void
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Writes [0, end) of a file anew with what it holds, so that the kernel writes all of it to the disk again. */
const rewrite = (fd: number, end: number): void => {
  const buffer = new Uint8Array(Math.min(end, pieceBytes))
  for (let at = 0; at < end;) {
    const read = readSync(fd, buffer, 0, Math.min(buffer.length, end - at), at)
    if (read === 0) return
    for (let done = 0; done < read;) done += writeSync(fd, buffer, done, read - done, at + done)
    at += read
  }
}

/** `tell` is given a sentence when the store becomes read-only, and when it can be written again. */
export const openLog = (
  db: DatabaseSync,
  path: string,
  tell: (sentence: string) => void
): { readonly log: WriteAheadLog; readonly reserve: Reserve } => {
  const passive = prepareQuery<[busy: number, frames: number, copied: number]>(db, "PRAGMA wal_checkpoint(PASSIVE)")
  const truncate = prepareQuery<[busy: number]>(db, "PRAGMA wal_checkpoint(TRUNCATE)")
  // Takes a frame or more of the log. A number that is never given out does no harm; what is as it was is not written.
  const touch = db.prepare("UPDATE server SET nextId = nextId + 1 WHERE id = (SELECT max(id) FROM server)")
  // No lock lies on this file that closing it would drop.
  const fd = openSync(`${path}-wal`, constants.O_RDWR | constants.O_NOFOLLOW)
  const reserve = openReserve(db, path, fd)
  // A transaction finds at least half of what the log holds.
  const longLog = Math.min(longLogMax, Math.floor(reserve.logBytes / 2 / frameBytes))

  /** Pages that were counted since the last checkpoint, and frames of the log for each, as the last one has shown. */
  let pages = Math.floor(fstatSync(fd).size / frameBytes)
  let framesPerPage = 1
  let failure: StoreFailure | undefined
  /** An fsync has failed once: from then on each goes through to the store's own file. */
  let distrusted = false
  /** Committed content is gone from the log: it cannot be mended. */
  let lost = false
  let nextAttempt = 0

  const fail = (what: string, error: unknown): StoreFailure => {
    const reason = `${path}: ${what} (${messageOf(error)})`
    if (failure === undefined) {
      tell(
        `${reason}; the store is read-only until all that was committed is safe, which the next change tries to bring about. Look at the disk`
      )
    }
    distrusted = true
    return (failure = new StoreFailure(reason))
  }

  const checkpoint = (): void => {
    const row = passive.get()
    if (row !== undefined && pages > 0 && row[1] > 0) framesPerPage = Math.min(4, Math.max(0.25, row[1] / pages))
    pages = 0
    reserve.renew()
  }

  const tryCheckpoint = (): void => {
    try {
      checkpoint()
    } catch (error) {
      // The log goes on to grow while the store cannot; it is tried again when it is as long again.
      pages = 0
      if (!isFull(error)) throw fail("its log cannot be copied into it", error)
    }
  }

  const empty = (): void => {
    const row = truncate.get()
    if (row?.[0] !== 0) throw new Error("the checkpoint could not be completed")
    pages = 0
    reserve.renew()
  }

  /** Whether all frames that SQLite has written are there: one more goes on from them. */
  const checkWhole = (): ValidFrames => {
    const before = validFrames(fd)
    touch.run()
    const after = validFrames(fd)
    if (after.salt !== before.salt || after.frames > before.frames) return after
    lost = true
    // So that nothing of the rest comes into the store when it is closed, and it is as after a power cut.
    ftruncateSync(fd, before.bytes)
    tell(
      `${path}: the disk has lost a part of the log; the store is read-only. Unmount it and mount it again: it is as it was before the failure`
    )
    throw new Error("the disk has lost a part of the log")
  }

  const mend = (): void => {
    if (failure === undefined) return
    if (lost || performance.now() < nextAttempt) throw failure
    const start = performance.now()
    try {
      rewrite(fd, checkWhole().bytes)
      fsyncSync(fd)
      empty()
    } catch (error) {
      const took = performance.now() - start
      // A dying disk is slow, and everybody waits.
      if (took > slowAttempt) nextAttempt = start + took + pauses * took
      throw fail("cannot be made safe", error)
    }
    failure = undefined
    tell(`${path}: all that was committed is safe again; the store can be written`)
  }

  const log: WriteAheadLog = {
    sync: () => {
      try {
        if (distrusted) empty()
        else fsyncSync(fd)
      } catch (error) {
        throw fail("fsync of its log failed", error)
      }
    },
    counted: (more) => {
      pages += more
    },
    checkpointIfLong: () => {
      if (pages * framesPerPage >= longLog) tryCheckpoint()
    },
    makeRoom: () => {
      if (failure !== undefined) return
      try {
        tryCheckpoint()
      } catch {
        // It was told.
      }
    },
    note: (error) => {
      if (isFsyncFailure(error)) fail("fsync of its log failed", error)
    },
    isSafe: () => failure === undefined,
    mend,
    close: () => {
      try {
        if (!lost) mend()
      } catch {
        // It was told. What SQLite does when it closes may still succeed.
      }
      closeSync(fd)
    }
  }
  // One that a server has left at its end, as it was killed on a full disk, has no room for anything.
  log.checkpointIfLong()
  return { log, reserve }
}
