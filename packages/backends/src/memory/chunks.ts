/**
 * The bytes of a regular file, sparse: chunks of 128 KiB, in each a bit per block of 4096 bytes that
 * says whether the block is allocated, and a buffer that covers no more of the chunk than was written.
 *
 * Bytes of a buffer that lie in no allocated block, or past the end of the file, are zero. The file's
 * size is kept by the inode; nothing here allocates more than it was asked to.
 */
import type { Data, U64 } from "@bickford/protocol"
import type { BufferPool } from "./bufferPool.ts"
import { chunkSize, extentSize } from "./extents.ts"
import type { Bytes } from "../posix/bytes.ts"
import { add, low, max, min, shiftLeft, shiftRight } from "@bickford/protocol/arithmetic"

const chunkBits = 17
const blockBits = 12
const blockBytes = 1 << blockBits
const zeros = new Uint8Array(chunkSize)
const empty = new Uint8Array(0)

interface Chunk {
  /** Offset in the file / 128 KiB. */
  readonly index: number
  /** Where `bytes` begins in the chunk, a multiple of 4096. */
  start: number
  bytes: Uint8Array
  /** Bit n: block n of the chunk is allocated. */
  allocated: number
}

/** The bits of the blocks that [from, to) touches. */
const touched = (from: number, to: number): number =>
  bitsBetween(from >>> blockBits, (to + blockBytes - 1) >>> blockBits)
/** The bits of the blocks that lie wholly in [from, to). */
const covered = (from: number, to: number): number =>
  bitsBetween((from + blockBytes - 1) >>> blockBits, to >>> blockBits)

const bitsBetween = (from: number, to: number): number => {
  const count = to - from
  if (count <= 0) return 0
  return count === 32 ? -1 : ((1 << count) - 1) << from
}

const countBits = (bits: number): number => {
  let n = bits - ((bits >>> 1) & 0x55555555)
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333)
  n = (n + (n >>> 4)) & 0x0f0f0f0f
  return Math.imul(n, 0x01010101) >>> 24
}

const powerOfTwo = (atLeast: number): number => (atLeast <= 64 ? 64 : 1 << (32 - Math.clz32(atLeast - 1)))

/** Makes a chunk's buffer cover [from, to). `whole`: the rest of the chunk will probably follow. */
const cover = (pool: BufferPool, chunk: Chunk, from: number, to: number, whole: boolean): void => {
  const { bytes, start } = chunk
  const end = start + bytes.length
  if (bytes.length > 0 && from >= start && to <= end) return
  const aligned = from & ~(blockBytes - 1)
  const newStart = bytes.length === 0 ? aligned : Math.min(start, aligned)
  const needed = (bytes.length === 0 ? to : Math.max(end, to)) - newStart
  const length = whole ? chunkSize - newStart : Math.min(powerOfTwo(needed), chunkSize - newStart)
  const grown = length === chunkSize ? pool.takeZeroed() : new Uint8Array(length)
  if (bytes.length > 0) grown.set(bytes, start - newStart)
  chunk.start = newStart
  chunk.bytes = grown
}

/** Zeros those bytes of [from, to) that the buffer covers. */
const erase = (chunk: Chunk, from: number, to: number): void => {
  chunk.bytes.fill(0, Math.max(0, from - chunk.start), Math.max(0, to - chunk.start))
}

/** Lets go of a buffer's ends that no allocated block needs, when that is worth a copy. */
const shrink = (pool: BufferPool, chunk: Chunk): void => {
  const end = (32 - Math.clz32(chunk.allocated)) << blockBits
  const start = (31 - Math.clz32(chunk.allocated & -chunk.allocated)) << blockBits
  if (end <= chunk.start || start >= chunk.start + chunk.bytes.length) {
    pool.give(chunk.bytes)
    chunk.bytes = empty
    return
  }
  const from = Math.max(start, chunk.start)
  const to = Math.min(end, chunk.start + chunk.bytes.length)
  if ((to - from) * 2 > chunk.bytes.length) return
  const kept = new Uint8Array(chunk.bytes.subarray(from - chunk.start, to - chunk.start))
  pool.give(chunk.bytes)
  chunk.bytes = kept
  chunk.start = from
}

export class Chunks implements Bytes {
  /** By index. */
  readonly #chunks: Array<Chunk> = []
  readonly #pool: BufferPool
  blocks = 0

  constructor(pool: BufferPool) {
    this.#pool = pool
  }

  /** Gives everything back; the file is gone. */
  release(): void {
    for (const chunk of this.#chunks) this.#pool.give(chunk.bytes)
    this.#chunks.length = 0
    this.blocks = 0
  }

  read(offset: U64, size: number): Data {
    let index = shiftRight(offset, chunkBits)
    let from = low(offset, chunkBits)
    let at = this.#position(index)
    if (from + size <= chunkSize) {
      const chunk = this.#chunks[at]
      if (chunk === undefined || chunk.index !== index) return zeros.subarray(0, size)
      const begin = from - chunk.start
      if (begin >= 0 && begin + size <= chunk.bytes.length) return chunk.bytes.subarray(begin, begin + size)
    }
    const views: Array<Uint8Array> = []
    const push = (view: Uint8Array): void => {
      if (view.length > 0) views.push(view)
    }
    for (let left = size; left > 0; index++, from = 0) {
      const to = Math.min(chunkSize, from + left)
      left -= to - from
      const chunk = this.#chunks[at]
      if (chunk === undefined || chunk.index !== index) {
        push(zeros.subarray(from, to))
        continue
      }
      at++
      const end = chunk.start + chunk.bytes.length
      push(zeros.subarray(from, Math.min(to, Math.max(from, chunk.start))))
      push(chunk.bytes.subarray(Math.max(0, from - chunk.start), Math.max(0, to - chunk.start)))
      push(zeros.subarray(Math.max(from, Math.min(to, end)), to))
    }
    return views
  }

  write(offset: U64, data: Uint8Array): void {
    if (data.length === extentSize && this.#takeOver(offset, data)) return
    if (this.#overwrite(offset, data)) return
    let index = shiftRight(offset, chunkBits)
    let from = low(offset, chunkBits)
    for (let done = 0; done < data.length; index++, from = 0) {
      const to = Math.min(chunkSize, from + data.length - done)
      const source = done === 0 && to - from === data.length ? data : data.subarray(done, done + to - from)
      const at = this.#position(index)
      const chunk = this.#obtain(at, index)
      if (to - from === chunkSize && chunk.bytes.length === 0) {
        chunk.start = 0
        chunk.bytes = this.#pool.take()
        chunk.bytes.set(source)
      } else {
        cover(this.#pool, chunk, from, to, this.#chunks[at - 1]?.index === index - 1)
        chunk.bytes.set(source, from - chunk.start)
      }
      this.#mark(chunk, touched(from, to))
      done += to - from
    }
  }

  /** What was read into memory of the pool's, for whole chunks, is their content as it is. False: nothing was done. */
  #takeOver(offset: U64, data: Uint8Array): boolean {
    if (low(offset, chunkBits) !== 0) return false
    const buffers = this.#pool.takeOver(data)
    if (buffers === undefined) return false
    let index = shiftRight(offset, chunkBits)
    for (const bytes of buffers) {
      const chunk = this.#obtain(this.#position(index), index)
      this.#pool.give(chunk.bytes)
      chunk.start = 0
      chunk.bytes = bytes
      this.#mark(chunk, -1)
      index++
    }
    return true
  }

  /** Where everything is there already, in one chunk: most small writes. False: nothing was done. */
  #overwrite(offset: U64, data: Uint8Array): boolean {
    const index = shiftRight(offset, chunkBits)
    const chunk = this.#chunks[index]
    if (chunk === undefined || chunk.index !== index) return false
    const from = low(offset, chunkBits)
    const to = from + data.length
    const end = chunk.start + chunk.bytes.length
    if (from < chunk.start || to > end || (touched(from, to) & ~chunk.allocated) !== 0) return false
    chunk.bytes.set(data, from - chunk.start)
    return true
  }

  missing(offset: U64, end: U64): number {
    if (offset >= end) return 0
    const index = shiftRight(offset, chunkBits)
    const first = low(offset, chunkBits)
    // Beyond 2^53 the size may be anything: counted chunk by chunk.
    const size = typeof offset === "number" && typeof end === "number" ? end - offset : Number.POSITIVE_INFINITY
    if (first + size <= chunkSize) {
      const bits = touched(first, first + size)
      const chunk = this.#chunks[this.#position(index)]
      const fresh = chunk !== undefined && chunk.index === index ? bits & ~chunk.allocated : bits
      return fresh === 0 ? 0 : countBits(fresh)
    }
    let missing = shiftRight(add(end, blockBytes - 1), blockBits) - shiftRight(offset, blockBits)
    this.#each(offset, end, (chunk, from, to) => {
      missing -= countBits(chunk.allocated & touched(from, to))
    })
    return missing
  }

  fitting(offset: U64, size: number, room: number): number {
    let left = room
    let block = shiftRight(offset, blockBits)
    for (let done = 0; done < size; block++) {
      if (!this.#isAllocated(block) && left-- <= 0) return done
      done += blockBytes - (done === 0 ? low(offset, blockBits) : 0)
    }
    return size
  }

  allocate(offset: U64, end: U64): void {
    if (offset >= end) return
    const last = shiftRight(add(end, -1), chunkBits)
    let from = low(offset, chunkBits)
    for (let index = shiftRight(offset, chunkBits); index <= last; index++, from = 0) {
      const to = index === last ? low(add(end, -1), chunkBits) + 1 : chunkSize
      this.#mark(this.#obtain(this.#position(index), index), touched(from, to))
    }
  }

  punch(offset: U64, end: U64 | undefined): void {
    const first = this.#position(shiftRight(offset, chunkBits))
    let visited = 0
    let emptied = false
    this.#each(offset, end, (chunk, from, to) => {
      visited++
      const given = chunk.allocated & covered(from, to)
      const kept = chunk.allocated & ~given
      chunk.allocated = kept
      this.blocks -= countBits(given)
      // What is given back whole needs no zeros.
      if (kept === 0) {
        emptied = true
        return
      }
      erase(chunk, from, to)
      if (given !== 0) shrink(this.#pool, chunk)
    })
    if (emptied) this.#drop(first, first + visited)
  }

  /** Drops those of the chunks from one place to another that hold nothing any more. */
  #drop(from: number, to: number): void {
    let kept = from
    for (let at = from; at < to; at++) {
      const chunk = this.#chunks[at]
      if (chunk === undefined) break
      if (chunk.allocated !== 0) this.#chunks[kept++] = chunk
      else this.#pool.give(chunk.bytes)
    }
    if (to < this.#chunks.length) this.#chunks.splice(kept, to - kept)
    else this.#chunks.length = kept
  }

  zero(offset: U64, end: U64): void {
    this.#each(offset, end, erase)
  }

  data(offset: U64): U64 | undefined {
    const block = shiftRight(offset, blockBits)
    for (let at = this.#position(Math.floor(block / 32)); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]
      if (chunk === undefined) return undefined
      const first = chunk.index * 32
      const from = Math.max(0, block - first)
      const bits = chunk.allocated & (from > 31 ? 0 : -1 << from)
      if (bits === 0) continue
      return max(offset, shiftLeft(first + 31 - Math.clz32(bits & -bits), blockBits))
    }
    return undefined
  }

  hole(offset: U64, end?: U64): U64 {
    let block = shiftRight(offset, blockBits)
    const lastIndex = end === undefined ? Number.POSITIVE_INFINITY : Math.floor(shiftRight(end, blockBits) / 32)
    for (let at = this.#position(Math.floor(block / 32)); ; at++) {
      const chunk = this.#chunks[at]
      const within = block % 32
      if (chunk === undefined || chunk.index !== Math.floor(block / 32) || chunk.index > lastIndex) break
      const free = ~chunk.allocated & (-1 << within)
      if (free !== 0) {
        block = chunk.index * 32 + 31 - Math.clz32(free & -free)
        break
      }
      block = (chunk.index + 1) * 32
    }
    const found = max(offset, shiftLeft(block, blockBits))
    return end === undefined ? found : min(found, end)
  }

  #isAllocated(block: number): boolean {
    const index = Math.floor(block / 32)
    const chunk = this.#chunks[this.#position(index)]
    return chunk !== undefined && chunk.index === index && (chunk.allocated & (1 << (block % 32))) !== 0
  }

  #mark(chunk: Chunk, bits: number): void {
    const fresh = bits & ~chunk.allocated
    if (fresh === 0) return
    this.blocks += countBits(fresh)
    chunk.allocated |= fresh
  }

  /** Where the chunk with this index is, or would be put. */
  #position(index: number): number {
    const chunks = this.#chunks
    // A file without holes has each chunk at its index.
    if (chunks[index]?.index === index) return index
    let from = 0
    let to = chunks.length
    if (to === 0 || (chunks[to - 1]?.index ?? 0) < index) return to
    while (from < to) {
      const middle = (from + to) >>> 1
      if ((chunks[middle]?.index ?? 0) < index) from = middle + 1
      else to = middle
    }
    return from
  }

  #obtain(at: number, index: number): Chunk {
    const found = this.#chunks[at]
    if (found !== undefined && found.index === index) return found
    const chunk: Chunk = { index, start: 0, bytes: empty, allocated: 0 }
    if (at === this.#chunks.length) this.#chunks.push(chunk)
    else this.#chunks.splice(at, 0, chunk)
    return chunk
  }

  /** Each chunk there is in [offset, end), with the part of it that lies in that range. */
  #each(offset: U64, end: U64 | undefined, visit: (chunk: Chunk, from: number, to: number) => void): void {
    if (end !== undefined && offset >= end) return
    const first = shiftRight(offset, chunkBits)
    const last = end === undefined ? Number.POSITIVE_INFINITY : shiftRight(add(end, -1), chunkBits)
    for (let at = this.#position(first); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]
      if (chunk === undefined || chunk.index > last) return
      const from = chunk.index === first ? low(offset, chunkBits) : 0
      const to = end !== undefined && chunk.index === last ? low(add(end, -1), chunkBits) + 1 : chunkSize
      visit(chunk, from, to)
    }
  }
}
