/**
 * What becomes of the content of large files that are gone: its rows are written over with whole chunks, as
 * long as some are written, and removed a piece at a time, between the requests, when none are.
 */
import type { DatabaseSync } from "node:sqlite"
import { blockSize } from "../posix/usage.ts"
import { prepareQuery } from "./query.ts"
import { chunkSize } from "./schema.ts"
import type { Transaction } from "./transaction.ts"

/** Chunks that are removed in one go: 4 MiB. */
const piece = 64
/** Blocks of 4096 bytes that a row may hold. */
const blocksPerRow = chunkSize / blockSize
/** Milliseconds for which nothing is removed after content has died, and after rows of it were taken. */
const quiet = 100

/** A row of content that is gone. */
export interface DeadRow {
  readonly id: number
  readonly data: number
}

/** `checkpointIfLong` is called after each commit of its own. */
export const makeCollector = (db: DatabaseSync, transaction: Transaction, checkpointIfLong: () => void = () => {}) => {
  const next = prepareQuery<[data: number]>(db, "SELECT data FROM dead LIMIT 1")
  const some = prepareQuery<[id: number]>(db, `SELECT id FROM chunk WHERE data = ? LIMIT ${piece}`)
  const remove = db.prepare(`DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE data = ? LIMIT ${piece})`)
  const bury = db.prepare("DELETE FROM dead WHERE data = ?")
  const count = prepareQuery<[number]>(db, "SELECT count(*) FROM chunk WHERE data IN (SELECT data FROM dead)")
  let immediate: NodeJS.Immediate | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  /** There may be something to remove. */
  let pending = true
  /** Since the last look. */
  let inUse = false
  /** Rows that are there to be taken. */
  let rows: Array<DeadRow> = []
  /** Rows there are, or more; counted when that is asked for. */
  let left: number | undefined

  /** Removes a piece, within a transaction; false when there is none. */
  const removePiece = (): boolean => {
    const data = next.get()?.[0]
    if (data === undefined) return false
    const removed = Number(remove.run(data).changes)
    if (removed < piece) bury.run(data)
    if (left !== undefined) left -= removed
    return true
  }

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
    rows = []
    try {
      if (next.get() === undefined) {
        pending = false
        return
      }
      transaction.begin()
      removePiece()
      transaction.commit()
      checkpointIfLong()
    } catch {
      // Such as a full disk. It is tried again when something else was committed.
      transaction.rollback()
      left = undefined
      return
    }
    immediate = setImmediate(step)
  }

  return {
    /** Something was buried, of so many blocks. */
    added: (blocks: number): void => {
      pending = true
      inUse = true
      if (left !== undefined) left += Math.ceil(blocks / blocksPerRow)
    },
    /** A row to write over, when there is one; within a transaction. */
    take: (): DeadRow | undefined => {
      while (pending) {
        const row = rows.pop()
        if (row !== undefined) {
          inUse = true
          if (left !== undefined) left--
          return row
        }
        const data = next.get()?.[0]
        if (data === undefined) pending = false
        else {
          rows = some.all(data).map(([id]) => ({ id, data }))
          // Only what has no row left is done with: those at hand may yet be left where they are.
          if (rows.length === 0) bury.run(data)
        }
      }
      return undefined
    },
    /** Removes about so many blocks now, with what else the transaction does: as much as others can wait for. */
    reclaim: (blocks: number): void => {
      if (!pending || next.get() === undefined) return
      rows = []
      transaction.begin()
      for (let removed = 0; removed < blocks; removed += piece * blocksPerRow) {
        if (removePiece()) continue
        pending = false
        return
      }
    },
    /** Blocks that are still to be removed. */
    blocks: (): number => {
      if (!pending) return 0
      left ??= count.get()?.[0] ?? 0
      return left * blocksPerRow
    },
    /** Nothing was taken, nor done with. */
    rolledBack: (): void => {
      pending = true
      rows = []
      left = undefined
    },
    /** No transaction is open: what is pending goes on. */
    resume: (): void => {
      if (pending && !stopped && immediate === undefined) wait()
    },
    stop: (): void => {
      stopped = true
      clearImmediate(immediate)
      clearTimeout(timer)
    }
  }
}

export type Collector = ReturnType<typeof makeCollector>
