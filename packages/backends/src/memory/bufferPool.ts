/**
 * The memory of whole chunks: cut from slabs of a huge page each, where the kernel's copies and ours meet few
 * misses. What files give back is kept for the next, since fresh memory costs page faults; what is too much
 * to keep goes back to the system at once, and its place in the slab is used again.
 */
import { allocateMemory, discardMemory } from "@bickford/transport"

/** Bytes of a whole chunk. */
export const chunkSize = 1 << 17
/** Bytes of a slab. */
const slabSize = 1 << 21
/** Buffers whose memory is kept at the most: 64 MiB. */
const limit = 512

export interface BufferPool {
  /** A buffer of a whole chunk; what is in it is anybody's. */
  readonly take: () => Uint8Array
  /** A buffer of a whole chunk, all zero. */
  readonly takeZeroed: () => Uint8Array
  /** Gives back a buffer that nothing refers to any more; one that is no whole chunk's is left to the collector. */
  readonly give: (bytes: Uint8Array) => void
}

export const makeBufferPool = (): BufferPool => {
  /** With memory, and what was written last in it. */
  const used: Array<Uint8Array> = []
  /** Without memory, so all zero. */
  const fresh: Array<Uint8Array> = []

  const takeFresh = (): Uint8Array => {
    const buffer = fresh.pop()
    if (buffer !== undefined) return buffer
    const slab = allocateMemory(slabSize)
    if (slab === undefined) return new Uint8Array(chunkSize)
    for (let at = slabSize - chunkSize; at > 0; at -= chunkSize) fresh.push(new Uint8Array(slab, at, chunkSize))
    return new Uint8Array(slab, 0, chunkSize)
  }

  return {
    take: () => used.pop() ?? takeFresh(),
    takeZeroed: () => used.pop()?.fill(0) ?? takeFresh(),
    give: (bytes) => {
      if (bytes.length !== chunkSize) return
      if (used.length < limit) {
        used.push(bytes)
        return
      }
      discardMemory(bytes)
      fresh.push(bytes)
    }
  }
}
