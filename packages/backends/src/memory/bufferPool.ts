/**
 * The memory of whole chunks. It comes in slabs of a huge page each, where the kernel's copies and ours meet few
 * misses; a slab is two extents, each as large as the largest WRITE, and an extent eight buffers. What files give back is
 * kept for the next, since fresh memory costs page faults; what is too much to keep goes back to the system at
 * once, and its place in the slab is used again.
 *
 * A whole extent can be lent to the transport, which reads the data of a large WRITE there: a file that takes it
 * over has been written without a copy.
 */
import { allocateMemory, discardMemory } from "@bickford/transport"

/** Bytes of a whole chunk. */
export const chunkSize = 1 << 17
/** Bytes of an extent. */
export const extentSize = 1 << 20
/** Bytes of a slab. */
const slabSize = 2 * extentSize
const buffersInExtent = extentSize / chunkSize
/** Buffers whose memory is kept at the most: 64 MiB. */
const limit = 512

export interface BufferPool {
  /** A buffer of a whole chunk; what is in it is anybody's. */
  readonly take: () => Uint8Array
  /** A buffer of a whole chunk, all zero. */
  readonly takeZeroed: () => Uint8Array
  /** Gives back a buffer that nothing refers to any more; one that is no whole chunk's is left to the collector. */
  readonly give: (bytes: Uint8Array) => void
  /** For one connection: gives the extent that is lent to it, the same one until it is taken over. */
  readonly makeLender: () => () => Uint8Array
  /** Takes over an extent that is lent, with what is in it: its buffers, in order. Undefined when `data` is none. */
  readonly takeOver: (data: Uint8Array) => ReadonlyArray<Uint8Array> | undefined
}

class Extent {
  readonly bytes: Uint8Array
  readonly buffers: ReadonlyArray<Uint8Array>
  /** Those that are free: with memory and what was written last in it, or without memory, so all zero. */
  readonly used: Array<Uint8Array> = []
  readonly fresh: Array<Uint8Array> = []
  /** Whether it is on the list of those that have free buffers, and of those that have no others. */
  isPartial = false
  isWhole = false
  isLent = false

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.buffers = Array.from({ length: buffersInExtent }, (_, at) =>
      bytes.subarray(at * chunkSize, (at + 1) * chunkSize)
    )
  }

  get free(): number {
    return this.used.length + this.fresh.length
  }
}

interface Loan {
  extent: Extent | undefined
}

export const makeBufferPool = (): BufferPool => {
  const slabs = new Map<ArrayBufferLike, ReadonlyArray<Extent>>()
  // Extents are struck off when they are met: what is on a list need not be so any more.
  const partial: Array<Extent> = []
  const whole: Array<Extent> = []
  let kept = 0

  const note = (extent: Extent): void => {
    if (!extent.isPartial) {
      extent.isPartial = true
      partial.push(extent)
    }
    if (extent.free === buffersInExtent && !extent.isWhole) {
      extent.isWhole = true
      whole.push(extent)
    }
  }

  const addSlab = (): void => {
    const slab = allocateMemory(slabSize) ?? new ArrayBuffer(slabSize)
    const extents = [
      new Extent(new Uint8Array(slab, 0, extentSize)),
      new Extent(new Uint8Array(slab, extentSize, extentSize))
    ]
    slabs.set(slab, extents)
    for (const extent of extents) {
      extent.fresh.push(...extent.buffers)
      note(extent)
    }
  }

  const take = (zeroed: boolean): Uint8Array => {
    for (;;) {
      const extent = partial.at(-1)
      if (extent === undefined) {
        addSlab()
        continue
      }
      const used = extent.used.pop()
      if (used !== undefined) {
        kept--
        return zeroed ? used.fill(0) : used
      }
      const fresh = extent.fresh.pop()
      if (fresh !== undefined) return fresh
      extent.isPartial = false
      partial.pop()
    }
  }

  const someWhole = (): Extent => {
    for (;;) {
      const extent = whole.pop()
      if (extent === undefined) {
        addSlab()
        continue
      }
      extent.isWhole = false
      if (extent.free < buffersInExtent) continue
      kept -= extent.used.length
      extent.used.length = 0
      extent.fresh.length = 0
      return extent
    }
  }

  const extentOf = (bytes: Uint8Array): Extent | undefined =>
    slabs.get(bytes.buffer)?.[bytes.byteOffset < extentSize ? 0 : 1]

  const give = (bytes: Uint8Array): void => {
    const extent = bytes.length === chunkSize ? extentOf(bytes) : undefined
    if (extent === undefined) return
    if (kept < limit) {
      kept++
      extent.used.push(bytes)
    } else {
      discardMemory(bytes)
      extent.fresh.push(bytes)
    }
    note(extent)
  }

  /** What was lent to a connection that is gone. */
  const forgotten = new FinalizationRegistry<Loan>(({ extent }) => {
    if (extent?.isLent !== true) return
    extent.isLent = false
    for (const bytes of extent.buffers) give(bytes)
  })

  return {
    take: () => take(false),
    takeZeroed: () => take(true),
    give,
    makeLender: () => {
      const loan: Loan = { extent: undefined }
      const lend = (): Uint8Array => {
        if (loan.extent?.isLent !== true) {
          loan.extent = someWhole()
          loan.extent.isLent = true
        }
        return loan.extent.bytes
      }
      forgotten.register(lend, loan)
      return lend
    },
    takeOver: (data) => {
      const extent = extentOf(data)
      if (extent?.isLent !== true || extent.bytes !== data) return undefined
      extent.isLent = false
      return extent.buffers
    }
  }
}
