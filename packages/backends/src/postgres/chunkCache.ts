/** Chunks whose bytes are in memory, of all files together: those used last, and those that are not stored yet. */

/** Bytes of chunks that are kept beyond what is being stored. */
const cachedMax = 64 * 1024 * 1024
/** Bytes that a chunk takes besides its own: one that was only allocated has none. */
const overhead = 256

/** The file that a chunk is a part of. */
export interface ChunkOwner {
  /** The cache lets a chunk go. */
  readonly dropped: (chunk: Chunk) => void
}

/** A part of a file, of which fewer bytes may be kept than it is long: the rest is zero. */
export interface Chunk {
  readonly owner: ChunkOwner
  /** Offset in the file / 64 KiB. */
  readonly position: number
  bytes: Uint8Array
  /** Bytes of `bytes` that count. */
  used: number
}

export interface ChunkCache {
  readonly keep: (chunk: Chunk) => void
  /** A chunk was read: it is among the last to go. */
  readonly used: (chunk: Chunk) => void
  readonly resized: (chunk: Chunk) => void
  readonly drop: (chunk: Chunk) => void
  /** Drops the chunks used longest ago, but none that is `needed`; whether any was dropped. */
  readonly trim: (needed: (chunk: Chunk) => boolean) => boolean
  readonly clear: () => void
}

export const makeChunkCache = (): ChunkCache => {
  /** In the order of their last use, with the size that they were counted with. */
  const sizes = new Map<Chunk, number>()
  let total = 0
  const drop = (chunk: Chunk): void => {
    const size = sizes.get(chunk)
    if (size === undefined) return
    sizes.delete(chunk)
    total -= size
  }
  const keep = (chunk: Chunk): void => {
    drop(chunk)
    const size = chunk.bytes.length + overhead
    sizes.set(chunk, size)
    total += size
  }
  return {
    keep,
    used: keep,
    resized: keep,
    drop,
    trim: (needed) => {
      if (total <= cachedMax) return false
      let dropped = false
      for (const chunk of sizes.keys()) {
        if (total <= cachedMax / 2) break
        if (needed(chunk)) continue
        drop(chunk)
        chunk.owner.dropped(chunk)
        dropped = true
      }
      return dropped
    },
    clear: () => {
      for (const chunk of sizes.keys()) chunk.owner.dropped(chunk)
      sizes.clear()
      total = 0
    }
  }
}
