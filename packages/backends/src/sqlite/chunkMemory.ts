/**
 * The memory of chunks that are held. That of whole chunks is used again and again.
 *
 * V8 counts the bytes of buffers that are alive, and those that have become garbage and not been collected, and collects
 * all of its heap each time they have grown by some 64 MiB. Its heap is small and each collection in vain, so memory
 * of our own goes back at once: writes of 4 KiB take half as long.
 */
import { chunkSize } from "./schema.ts"

const smallest = 4096

export interface ChunkMemory {
  /** Returns memory for so many bytes or more, of any content. */
  readonly take: (atLeast: number) => Uint8Array<ArrayBuffer>
  /** Takes what `row` holds, which is gone from then on. */
  readonly takeOver: (row: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>
  /** Nobody looks at it any more. */
  readonly give: (bytes: Uint8Array<ArrayBuffer>) => void
}

/** Keeps memory for at most so many whole chunks. */
export const makeChunkMemory = (chunksMax: number): ChunkMemory => {
  const free: Array<Uint8Array<ArrayBuffer>> = []

  const take = (atLeast: number): Uint8Array<ArrayBuffer> => {
    if (atLeast <= smallest) return new Uint8Array(smallest)
    if (atLeast <= chunkSize / 2) return new Uint8Array(1 << (32 - Math.clz32(atLeast - 1)))
    return free.pop() ?? new Uint8Array(chunkSize)
  }

  const give = (bytes: Uint8Array<ArrayBuffer>): void => {
    if (bytes.length === chunkSize && free.length < chunksMax) free.push(bytes)
    else if (bytes.length > 0) bytes.buffer.transfer(0)
  }

  return {
    take,
    takeOver: (row) => {
      if (row.length < chunkSize) return row
      const bytes = take(chunkSize)
      bytes.set(row)
      row.buffer.transfer(0)
      return bytes
    },
    give
  }
}
