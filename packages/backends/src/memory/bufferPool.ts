/**
 * The memory of whole chunks. It comes in slabs of a huge page each, where the kernel's copies and ours meet few
 * misses; a slab is two extents, each as large as the largest WRITE, and an extent eight buffers. What files give back is
 * kept for the next, since fresh memory costs page faults; what is too much to keep goes back to the system at
 * once, and its place in the slab is used again.
 *
 * A whole extent can be lent to the transport, which reads the data of a large WRITE there: a file that takes it
 * over has been written without a copy.
 */
import { discardMemory } from "@bickford/transport"
import { chunkSize, type Extent, makeExtents } from "./extents.ts"

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

interface Loan {
  extent: Extent | undefined
}

export const makeBufferPool = (): BufferPool => {
  const extents = makeExtents()
  let kept = 0

  const take = (zeroed: boolean): Uint8Array => {
    for (;;) {
      const extent = extents.partial()
      const used = extent.used.pop()
      if (used !== undefined) {
        kept--
        return zeroed ? used.fill(0) : used
      }
      const fresh = extent.fresh.pop()
      if (fresh !== undefined) return fresh
      extents.strike(extent)
    }
  }

  /** Takes a whole extent, with all its buffers. */
  const takeWhole = (): Extent => {
    const extent = extents.whole()
    kept -= extent.used.length
    extent.used.length = 0
    extent.fresh.length = 0
    return extent
  }

  const give = (bytes: Uint8Array): void => {
    const extent = bytes.length === chunkSize ? extents.of(bytes) : undefined
    if (extent === undefined) return
    if (kept < limit) {
      kept++
      extent.used.push(bytes)
    } else {
      discardMemory(bytes)
      extent.fresh.push(bytes)
    }
    extents.note(extent)
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
          loan.extent = takeWhole()
          loan.extent.isLent = true
        }
        return loan.extent.bytes
      }
      forgotten.register(lend, loan)
      return lend
    },
    takeOver: (data) => {
      const extent = extents.of(data)
      if (extent?.isLent !== true || extent.bytes !== data) return undefined
      extent.isLent = false
      return extent.buffers
    }
  }
}
