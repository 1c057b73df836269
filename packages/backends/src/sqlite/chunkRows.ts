/** The rows that hold the content of files. */
import type { DatabaseSync } from "node:sqlite"
import type { Collector } from "./collector.ts"
import { prepareQuery } from "./query.ts"
import type { Transaction } from "./transaction.ts"

/** The store's pages that a row with so many bytes changes. */
const pagesOf = (bytes: number): number => 1 + (bytes >>> 12)

/** The bits of the allocated blocks of one chunk. */
export type BlocksAt = readonly [position: number, blocks: number]

/** Queries that change nothing. */
export const makeChunkQueries = (db: DatabaseSync) => {
  const one = prepareQuery<[blocks: number, bytes: Uint8Array<ArrayBuffer>]>(
    db,
    "SELECT blocks, bytes FROM chunk WHERE data = ? AND position = ?"
  )
  const content = prepareQuery<[position: number, bytes: Uint8Array<ArrayBuffer>]>(
    db,
    "SELECT position, bytes FROM chunk WHERE data = ? AND position BETWEEN ? AND ? ORDER BY position"
  )
  const bits = prepareQuery<BlocksAt>(
    db,
    "SELECT position, blocks FROM chunk WHERE data = ? AND position BETWEEN ? AND ? ORDER BY position"
  )
  const bitsFrom = prepareQuery<BlocksAt>(
    db,
    "SELECT position, blocks FROM chunk WHERE data = ? AND position >= ? ORDER BY position LIMIT 256"
  )
  const bitsAt = prepareQuery<[blocks: number]>(db, "SELECT blocks FROM chunk WHERE data = ? AND position = ?")
  const after = prepareQuery<[position: number]>(
    db,
    "SELECT position FROM chunk WHERE data = ? AND position >= ? ORDER BY position LIMIT 1 OFFSET ?"
  )
  const beforeEnd = prepareQuery<[position: number]>(
    db,
    "SELECT position FROM chunk WHERE data = ? AND position >= ? ORDER BY position DESC LIMIT 1 OFFSET ?"
  )
  return {
    /** Returns undefined where there is no row. */
    row: (data: number, position: number) => one.get(data, position),
    content: (data: number, first: number, last: number) => content.all(data, first, last),
    blocks: (data: number, first: number, last: number) => bits.all(data, first, last),
    /** Returns some chunks from `position` on; none when there are no more. */
    blocksFrom: (data: number, position: number) => bitsFrom.all(data, position),
    positionAfter: (data: number, position: number, rows: number): number | undefined =>
      after.get(data, position, rows)?.[0],
    positionBeforeEnd: (data: number, position: number, rows: number): number | undefined =>
      beforeEnd.get(data, position, rows - 1)?.[0],
    /** Returns undefined where there is no row. */
    blocksAt: (data: number, position: number): number | undefined => bitsAt.get(data, position)?.[0]
  }
}

/** Changes of rows, each within the transaction. */
export const makeChunkChanges = (db: DatabaseSync, transaction: Transaction, collector: Collector) => {
  const put = db.prepare(
    "INSERT INTO chunk (data, position, blocks, bytes) VALUES (?, ?, ?, ?) ON CONFLICT (data, position) DO UPDATE SET blocks = excluded.blocks, bytes = excluded.bytes"
  )
  const reuse = db.prepare("UPDATE chunk SET data = ?, position = ?, blocks = ?, bytes = ? WHERE id = ? AND data = ?")
  const allocate = db.prepare(
    "INSERT INTO chunk (data, position, blocks, bytes) VALUES (?, ?, ?, x'') ON CONFLICT (data, position) DO UPDATE SET blocks = blocks | excluded.blocks"
  )
  const blank = db.prepare("UPDATE chunk SET bytes = x'' WHERE data = ? AND position BETWEEN ? AND ?")
  const remove = db.prepare("DELETE FROM chunk WHERE data = ? AND position BETWEEN ? AND ?")
  const removeAll = db.prepare("DELETE FROM chunk WHERE data = ?")
  const bury = db.prepare("INSERT INTO dead (data) VALUES (?)")
  return {
    put: (data: number, position: number, blocks: number, bytes: Uint8Array): void => {
      transaction.begin(pagesOf(bytes.length))
      put.run(data, position, blocks, bytes)
    },
    /** Adds a whole chunk where there is no row. To write over a row of content that is gone costs less than a new one. */
    add: (data: number, position: number, blocks: number, bytes: Uint8Array): void => {
      transaction.begin(pagesOf(bytes.length))
      const dead = collector.take()
      if (dead === undefined) put.run(data, position, blocks, bytes)
      else if (Number(reuse.run(data, position, blocks, bytes, dead.id, dead.data).changes) !== 1) {
        throw new Error(`row ${dead.id} does not belong to content ${dead.data}`)
      }
    },
    allocate: (data: number, position: number, blocks: number): void => {
      transaction.begin()
      allocate.run(data, position, blocks)
    },
    blank: (data: number, first: number, last: number): void => {
      transaction.begin()
      blank.run(data, first, last)
    },
    remove: (data: number, first: number, last: number): void => {
      transaction.begin()
      remove.run(data, first, last)
    },
    removeAll: (data: number): void => {
      transaction.begin()
      removeAll.run(data)
    },
    /** Leaves the content to be removed piece by piece, later. */
    bury: (data: number, blocks: number): void => {
      transaction.begin()
      bury.run(data)
      collector.added(blocks)
    }
  }
}
