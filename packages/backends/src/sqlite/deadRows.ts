/** Rows of content that is gone: given out to be written over, counted, and removed a piece at a time. */
import type { DatabaseSync } from "node:sqlite"
import { blockSize } from "../posix/usage.ts"
import { prepareQuery } from "./query.ts"
import { chunkSize } from "./schema.ts"

/** Chunks that are removed in one go: 4 MiB. */
const piece = 64
/** Blocks of 4096 bytes that a row may hold. */
const blocksPerRow = chunkSize / blockSize

/** A row of content that is gone. */
export interface DeadRow {
  readonly id: number
  readonly data: number
}

export interface DeadRows {
  /** False once nothing is left to remove. */
  readonly isPending: () => boolean
  /** Counts content that has died, of so many blocks. */
  readonly added: (blocks: number) => void
  /** A row to write over, when there is one; within a transaction. */
  readonly take: () => DeadRow | undefined
  /** Begins to remove: the rows at hand are given out no more. False when nothing is left. */
  readonly startRemoving: () => boolean
  /** Removes a piece, within a transaction: the blocks that it may have had, or undefined when nothing is left. */
  readonly removePiece: () => number | undefined
  /** Blocks that are still to be removed. */
  readonly blocks: () => number
  /** Forgets what was counted, after an attempt to remove that failed. */
  readonly recount: () => void
  /** After a rollback: nothing was taken, nor done with. */
  readonly rolledBack: () => void
}

export const makeDeadRows = (db: DatabaseSync): DeadRows => {
  const next = prepareQuery<[data: number]>(db, "SELECT data FROM dead LIMIT 1")
  const some = prepareQuery<[id: number]>(db, `SELECT id FROM chunk WHERE data = ? LIMIT ${piece}`)
  const remove = db.prepare(`DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE data = ? LIMIT ${piece})`)
  const bury = db.prepare("DELETE FROM dead WHERE data = ?")
  const count = prepareQuery<[number]>(db, "SELECT count(*) FROM chunk WHERE data IN (SELECT data FROM dead)")
  /** There may be something to remove. */
  let pending = true
  /** Rows that are there to be taken. */
  let rows: Array<DeadRow> = []
  /** Rows there are, or more; counted when that is asked for. */
  let left: number | undefined

  return {
    isPending: () => pending,
    added: (blocks) => {
      pending = true
      if (left !== undefined) left += Math.ceil(blocks / blocksPerRow)
    },
    take: () => {
      while (pending) {
        const row = rows.pop()
        if (row !== undefined) {
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
    startRemoving: () => {
      rows = []
      pending = pending && next.get() !== undefined
      return pending
    },
    removePiece: () => {
      const data = next.get()?.[0]
      if (data === undefined) {
        pending = false
        return undefined
      }
      const removed = Number(remove.run(data).changes)
      if (removed < piece) bury.run(data)
      if (left !== undefined) left -= removed
      return piece * blocksPerRow
    },
    blocks: () => {
      if (!pending) return 0
      left ??= count.get()?.[0] ?? 0
      return left * blocksPerRow
    },
    recount: () => {
      left = undefined
    },
    rolledBack: () => {
      pending = true
      rows = []
      left = undefined
    }
  }
}
