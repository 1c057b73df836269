/**
 * What becomes of the content of large files that are gone: its rows are written over with whole chunks, as
 * long as some are written, and removed a piece at a time, between the requests, when none are.
 */
import type { DatabaseSync } from "node:sqlite"
import { type DeadRow, makeDeadRows } from "./deadRows.ts"
import type { Transaction } from "./transaction.ts"

/** Milliseconds for which nothing is removed after content has died, and after rows of it were taken. */
const quiet = 100

/** `checkpointIfLong` is called after each commit of its own. */
export const makeCollector = (db: DatabaseSync, transaction: Transaction, checkpointIfLong: () => void = () => {}) => {
  const dead = makeDeadRows(db)
  let immediate: NodeJS.Immediate | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  /** Content has died, or rows were taken, since the last look. */
  let inUse = false

  const wait = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      step()
    }, quiet).unref()
  }

  const step = (): void => {
    immediate = undefined
    // What requests have begun they commit themselves; their commit calls back.
    if (stopped || transaction.isOpen()) return
    if (inUse) {
      inUse = false
      wait()
      return
    }
    try {
      if (!dead.startRemoving()) return
      transaction.begin()
      dead.removePiece()
      transaction.commit()
      checkpointIfLong()
    } catch {
      // Such as a full disk. It is tried again when something else was committed.
      transaction.rollback()
      dead.recount()
      return
    }
    immediate = setImmediate(step)
  }

  return {
    /** Something was buried, of so many blocks. */
    added: (blocks: number): void => {
      inUse = true
      dead.added(blocks)
    },
    /** A row to write over, when there is one; within a transaction. */
    take: (): DeadRow | undefined => {
      const row = dead.take()
      if (row !== undefined) inUse = true
      return row
    },
    /** Removes about so many blocks now, with what else the transaction does: as much as others can wait for. */
    reclaim: (blocks: number): void => {
      if (!dead.startRemoving()) return
      transaction.begin()
      for (let removed = 0; removed < blocks;) {
        const more = dead.removePiece()
        if (more === undefined) return
        removed += more
      }
    },
    /** Blocks that are still to be removed. */
    blocks: dead.blocks,
    /** Nothing was taken, nor done with. */
    rolledBack: dead.rolledBack,
    /** No transaction is open: what is pending goes on. */
    resume: (): void => {
      if (dead.isPending() && !stopped && immediate === undefined) wait()
    },
    stop: (): void => {
      stopped = true
      clearImmediate(immediate)
      clearTimeout(timer)
    }
  }
}

export type Collector = ReturnType<typeof makeCollector>
