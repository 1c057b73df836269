/**
 * Whole chunks' buffers that files gave back, kept for the next: fresh memory costs page faults, and the
 * engine a collection every few hundred of them.
 */

/** Bytes of a whole chunk. */
export const chunkSize = 1 << 17
/** Buffers kept at the most: 64 MiB. */
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
  const free: Array<Uint8Array> = []
  return {
    take: () => free.pop() ?? new Uint8Array(chunkSize),
    takeZeroed: () => free.pop()?.fill(0) ?? new Uint8Array(chunkSize),
    give: (bytes) => {
      if (bytes.length === chunkSize && free.length < limit) free.push(bytes)
    }
  }
}
