/**
 * Slabs of memory, each a huge page, and their extents: which have buffers that are free, and which nothing else. Fresh
 * slabs are allocated when there is none.
 */
import { allocateMemory } from "@bickford/transport"

/** Bytes of a whole chunk. */
export const chunkSize = 1 << 17
/** Bytes of an extent. */
export const extentSize = 1 << 20
/** Bytes of a slab. */
const slabSize = 2 * extentSize
/** Buffers in an extent. */
const buffersInExtent = extentSize / chunkSize

/** Memory as large as the largest WRITE, in buffers of a whole chunk each. */
export class Extent {
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

/** The extents of a pool. */
export interface Extents {
  /** Puts an extent that has free buffers on the lists that it belongs on. */
  readonly note: (extent: Extent) => void
  /** An extent that may have free buffers; it stays on its list until `strike`. */
  readonly partial: () => Extent
  /** Takes the extent that `partial` gave off its list: it has no free buffer. */
  readonly strike: (extent: Extent) => void
  /** An extent that is free as a whole. */
  readonly whole: () => Extent
  /** The extent that has these bytes; undefined when they are of no slab. */
  readonly of: (bytes: Uint8Array) => Extent | undefined
}

export const makeExtents = (): Extents => {
  const slabs = new Map<ArrayBufferLike, ReadonlyArray<Extent>>()
  // Extents are struck off when they are met: what is on a list need not be so any more.
  const partial: Array<Extent> = []
  const whole: Array<Extent> = []

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

  return {
    note,
    partial: () => {
      for (;;) {
        const extent = partial.at(-1)
        if (extent !== undefined) return extent
        addSlab()
      }
    },
    strike: (extent) => {
      extent.isPartial = false
      partial.pop()
    },
    whole: () => {
      for (;;) {
        const extent = whole.pop()
        if (extent === undefined) {
          addSlab()
          continue
        }
        extent.isWhole = false
        if (extent.free === buffersInExtent) return extent
      }
    },
    of: (bytes) => slabs.get(bytes.buffer)?.[bytes.byteOffset < extentSize ? 0 : 1]
  }
}
