/** The content of files: its rows, and those of them that are held in memory between commits. */
import type { DatabaseSync } from "node:sqlite"
import { makeChunkMemory } from "./chunkMemory.ts"
import { makeChunkChanges, makeChunkQueries } from "./chunkRows.ts"
import type { Collector } from "./collector.ts"
import type { Transaction } from "./transaction.ts"

/** Chunks held in memory: 64 MiB at the most, and what one transaction has changed besides. */
const cachedMax = 1024
const empty = new Uint8Array(0)

/** A part of a file, of which fewer bytes may be stored than it is long: the rest is zero. */
export interface Chunk {
  readonly owner: ChunkOwner
  /** Offset in the file / 64 KiB. */
  readonly position: number
  /** Bit n: block n of the chunk is allocated. */
  blocks: number
  bytes: Uint8Array<ArrayBuffer>
  /** Bytes of `bytes` that count. */
  used: number
  dirty: boolean
}

export interface ChunkOwner {
  readonly id: number
  /** Called when the chunk is no longer held in memory. */
  readonly dropped: (chunk: Chunk) => void
}

export const makeChunkStore = (db: DatabaseSync, transaction: Transaction, collector: Collector) => {
  const { row, ...queries } = makeChunkQueries(db)
  const changes = makeChunkChanges(db, transaction, collector)
  const cached = new Set<Chunk>()
  const dirty = new Set<Chunk>()
  const memory = makeChunkMemory(cachedMax)

  const drop = (chunk: Chunk): void => {
    cached.delete(chunk)
    dirty.delete(chunk)
    chunk.owner.dropped(chunk)
    memory.give(chunk.bytes)
    chunk.bytes = empty
  }

  /** Drops the oldest of too many chunks; what has changed is left to the commit. */
  const trim = (): void => {
    if (cached.size <= cachedMax) return
    for (const chunk of cached) {
      if (cached.size <= cachedMax || chunk.dirty) return
      drop(chunk)
    }
  }

  const write = (chunk: Chunk): void => {
    changes.put(chunk.owner.id, chunk.position, chunk.blocks, chunk.bytes.subarray(0, chunk.used))
    chunk.dirty = false
  }

  return {
    ...queries,
    ...changes,
    /** Reads a chunk; undefined where there is no row. */
    load: (owner: ChunkOwner, position: number): Chunk | undefined => {
      const found = row(owner.id, position)
      if (found === undefined) return undefined
      const [blocks, bytes] = found
      const used = bytes.length
      return { owner, position, blocks, bytes: memory.takeOver(bytes), used, dirty: false }
    },
    /** Gives a chunk memory for so many bytes. */
    grow: (chunk: Chunk, bytes: number): void => {
      const grown = memory.take(bytes)
      grown.set(chunk.bytes.subarray(0, chunk.used))
      memory.give(chunk.bytes)
      chunk.bytes = grown
    },
    /** Holds a chunk in memory. */
    keep: (chunk: Chunk): void => {
      cached.add(chunk)
      trim()
    },
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
    /** After a commit, when nothing is left that has changed. */
    trim,
    /** Drops all chunks, after a rollback: none is known to be stored. */
    clear: (): void => {
      for (const chunk of cached) chunk.owner.dropped(chunk)
      cached.clear()
      dirty.clear()
      collector.rolledBack()
    }
  }
}

export type ChunkStore = ReturnType<typeof makeChunkStore>
