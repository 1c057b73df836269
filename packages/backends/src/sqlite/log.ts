/**
 * The write-ahead log of a store: makes commits permanent, copies them into the store's file, and mends the log after
 * the disk has failed it.
 *
 * After a failed fsync Linux marks the pages clean, and the next fsync succeeds though they never reached the disk.
 * Recovery stops at such a hole, so everything later would be lost with it. Hence after a failed fsync nothing is
 * acknowledged until the log was written anew, and a checkpoint has moved all of it into the store's file.
 */
import { closeSync, constants, fsyncSync, openSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import { makeCheckpoints } from "./checkpoints.ts"
import { isFsyncFailure, isFull, StoreFailure } from "./errors.ts"
import { makeFrameCheck, rewrite } from "./logRepair.ts"
import { openReserve, type Reserve } from "./reserve.ts"
import type { ValidFrames } from "./walFrames.ts"

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

/** What the store's owner is told. */
const sentences = {
  readOnly: (reason: string) =>
    `${reason}; the store is read-only until all that was committed is safe, which the next change tries to bring about. Look at the disk`,
  lost: (path: string) =>
    `${path}: the disk has lost a part of the log; the store is read-only. Unmount it and mount it again: it is as it was before the failure`,
  safe: (path: string) => `${path}: all that was committed is safe again; the store can be written`
}

/** `tell` is given a sentence when the store becomes read-only, and when it can be written again. */
export const openLog = (
  db: DatabaseSync,
  path: string,
  tell: (sentence: string) => void
): { readonly log: WriteAheadLog; readonly reserve: Reserve } => {
  // No lock lies on this file that closing it would drop.
  const fd = openSync(`${path}-wal`, constants.O_RDWR | constants.O_NOFOLLOW)
  const reserve = openReserve(db, path, fd)
  const checkpoints = makeCheckpoints(db, fd, reserve)
  const framesOf = makeFrameCheck(db, fd)

  let failure: StoreFailure | undefined
  /** An fsync has failed once: from then on each goes through to the store's own file. */
  let distrusted = false
  /** Committed content is gone from the log: it cannot be mended. */
  let lost = false
  let nextAttempt = 0

  const fail = (what: string, error: unknown): StoreFailure => {
    const reason = `${path}: ${what} (${messageOf(error)})`
    if (failure === undefined) tell(sentences.readOnly(reason))
    distrusted = true
    return (failure = new StoreFailure({ message: reason }))
  }

  const tryCheckpoint = (): void => {
    try {
      checkpoints.run()
    } catch (error) {
      // The log goes on to grow while the store cannot.
      checkpoints.postpone()
      if (!isFull(error)) throw fail("its log cannot be copied into it", error)
    }
  }

  const checkWhole = (): ValidFrames => {
    const found = framesOf()
    if (found !== undefined) return found
    lost = true
    tell(sentences.lost(path))
    throw new Error("the disk has lost a part of the log")
  }

  const mend = (): void => {
    if (failure === undefined) return
    if (lost || performance.now() < nextAttempt) throw failure
    const start = performance.now()
    try {
      rewrite(fd, checkWhole().bytes)
      fsyncSync(fd)
      checkpoints.empty()
    } catch (error) {
      const took = performance.now() - start
      // A dying disk is slow, and everybody waits.
      if (took > slowAttempt) nextAttempt = start + took + pauses * took
      throw fail("cannot be made safe", error)
    }
    failure = undefined
    tell(sentences.safe(path))
  }

  const log: WriteAheadLog = {
    sync: () => {
      try {
        if (distrusted) checkpoints.empty()
        else fsyncSync(fd)
      } catch (error) {
        throw fail("fsync of its log failed", error)
      }
    },
    counted: checkpoints.counted,
    checkpointIfLong: () => {
      if (checkpoints.isLong()) tryCheckpoint()
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
