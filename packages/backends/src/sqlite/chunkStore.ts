/** The rows that hold the content of files, and those of them that are kept in memory. */
import type { DatabaseSync } from "node:sqlite"
import type { Collector } from "./collector.ts"
import { prepareQuery } from "./query.ts"
import type { Transaction } from "./transaction.ts"

/** Chunks kept in memory between commits: 32 MiB at the most. */
const cachedMax = 512

/** The store's pages that a row with so many bytes changes. */
const pagesOf = (bytes: number): number => 1 + (bytes >>> 12)

/** A part of a file, of which fewer bytes may be stored than it is long: the rest is zero. */
export interface Chunk {
  readonly owner: ChunkOwner
  /** Offset in the file / 64 KiB. */
  readonly position: number
  /** Bit n: block n of the chunk is allocated. */
  blocks: number
  bytes: Uint8Array
  /** Bytes of `bytes` that count. */
  used: number
  dirty: boolean
}

export interface ChunkOwner {
  readonly id: number
  /** The chunk is not kept in memory any more. */
  readonly dropped: (chunk: Chunk) => void
}

/** The bits of the allocated blocks of one chunk. */
export type BlocksAt = readonly [position: number, blocks: number]

export const makeChunkStore = (db: DatabaseSync, transaction: Transaction, collector: Collector) => {
  const one = prepareQuery<[blocks: number, bytes: Uint8Array]>(db, "SELECT blocks, bytes FROM chunk WHERE data = ? AND position = ?")
  const content = prepareQuery<[position: number, bytes: Uint8Array<ArrayBuffer>]>(db, "SELECT position, bytes FROM chunk WHERE data = ? AND position BETWEEN ? AND ? ORDER BY position")
  const bits = prepareQuery<BlocksAt>(db, "SELECT position, blocks FROM chunk WHERE data = ? AND position BETWEEN ? AND ? ORDER BY position")
  const bitsFrom = prepareQuery<BlocksAt>(db, "SELECT position, blocks FROM chunk WHERE data = ? AND position >= ? ORDER BY position LIMIT 256")
  const bitsAt = prepareQuery<[blocks: number]>(db, "SELECT blocks FROM chunk WHERE data = ? AND position = ?")
  const after = prepareQuery<[position: number]>(db, "SELECT position FROM chunk WHERE data = ? AND position >= ? ORDER BY position LIMIT 1 OFFSET ?")
  const beforeEnd = prepareQuery<[position: number]>(db, "SELECT position FROM chunk WHERE data = ? AND position >= ? ORDER BY position DESC LIMIT 1 OFFSET ?")
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

  const cached = new Set<Chunk>()
  const dirty = new Set<Chunk>()

  const drop = (chunk: Chunk): void => {
    cached.delete(chunk)
    dirty.delete(chunk)
    chunk.owner.dropped(chunk)
  }

  const write = (chunk: Chunk): void => {
    transaction.begin(pagesOf(chunk.used))
    put.run(chunk.owner.id, chunk.position, chunk.blocks, chunk.bytes.subarray(0, chunk.used))
    chunk.dirty = false
  }

  return {
    load: (owner: ChunkOwner, position: number): Chunk | undefined => {
      const row = one.get(owner.id, position)
      if (row === undefined) return undefined
      const [blocks, bytes] = row
      return { owner, position, blocks, bytes, used: bytes.length, dirty: false }
    },
    content: (data: number, first: number, last: number) => content.all(data, first, last),
    blocks: (data: number, first: number, last: number) => bits.all(data, first, last),
    /** Some chunks from `position` on; none when there are no more. */
    blocksFrom: (data: number, position: number) => bitsFrom.all(data, position),
    positionAfter: (data: number, position: number, rows: number): number | undefined => after.get(data, position, rows)?.[0],
    positionBeforeEnd: (data: number, position: number, rows: number): number | undefined => beforeEnd.get(data, position, rows - 1)?.[0],
    /** Undefined where there is no row. */
    blocksAt: (data: number, position: number): number | undefined => bitsAt.get(data, position)?.[0],

    put: (data: number, position: number, blocks: number, bytes: Uint8Array): void => {
      transaction.begin(pagesOf(bytes.length))
      put.run(data, position, blocks, bytes)
    },
    /** As `put`, of a whole chunk where there is no row: one of content that is gone costs less than a new one. */
    add: (data: number, position: number, blocks: number, bytes: Uint8Array): void => {
      transaction.begin(pagesOf(bytes.length))
      const dead = collector.take()
      if (dead === undefined) put.run(data, position, blocks, bytes)
      else if (Number(reuse.run(data, position, blocks, bytes, dead.id, dead.data).changes) !== 1) {
        throw new Error(`row ${dead.id} is not of content ${dead.data}`)
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
    },

    /** Keeps a chunk in memory. */
    keep: (chunk: Chunk): void => void cached.add(chunk),
    changed: (chunk: Chunk): void => {
      chunk.dirty = true
      dirty.add(chunk)
    },
    drop,
    /** Writes a chunk's row, when it has changed. */
    flush: (chunk: Chunk): void => {
      if (!chunk.dirty) return
      write(chunk)
      dirty.delete(chunk)
    },
    isDirty: (): boolean => dirty.size > 0,
    flushAll: (): void => {
      for (const chunk of dirty) write(chunk)
      dirty.clear()
    },
    /** After a commit: too many are let go, the oldest first. */
    trim: (): void => {
      for (const chunk of cached) {
        if (cached.size <= cachedMax) return
        drop(chunk)
      }
    },
    /** After a rollback: nothing of what is in memory is known to be stored. */
    clear: (): void => {
      for (const chunk of cached) chunk.owner.dropped(chunk)
      cached.clear()
      dirty.clear()
      collector.rolledBack()
    }
  }
}

export type ChunkStore = ReturnType<typeof makeChunkStore>
