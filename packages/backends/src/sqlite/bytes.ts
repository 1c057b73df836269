/**
 * The bytes of a regular file, sparse: rows of up to 64 KiB, in each a bit per block of 4096 bytes that
 * says whether the block is allocated.
 *
 * Stored bytes that lie in no allocated block, or past the end of the file, are zero. Whole chunks go
 * straight to their rows; a chunk that is changed in part is kept in memory until the commit.
 */
import type { Data, U64 } from "@bickford/protocol"
import type { Bytes } from "../posix/bytes.ts"
import { add, low, max, min, shiftLeft, shiftRight } from "@bickford/protocol/arithmetic"
import type { BlocksAt } from "./chunkRows.ts"
import type { Chunk, ChunkStore } from "./chunkStore.ts"
import { chunkSize } from "./schema.ts"

const chunkBits = 16
const blockBits = 12
const blockBytes = 1 << blockBits
const blocksPerChunk = chunkSize / blockBytes
const whole = (1 << blocksPerChunk) - 1
const zeros = new Uint8Array(chunkSize)
const empty = new Uint8Array(0)
/** The last position there is: that of the last byte of the largest file. */
const lastPosition = 2 ** 47 - 1
/** Files with more blocks are not removed in one go. */
const largeBlocks = 256

const bitsBetween = (from: number, to: number): number => (to <= from ? 0 : ((1 << (to - from)) - 1) << from)
/** The bits of the blocks that [from, to) touches. */
const touched = (from: number, to: number): number =>
  bitsBetween(from >>> blockBits, (to + blockBytes - 1) >>> blockBits)
/** The bits of the blocks that lie wholly in [from, to). */
const covered = (from: number, to: number): number =>
  bitsBetween((from + blockBytes - 1) >>> blockBits, to >>> blockBits)

/** How many of sixteen bits are set. */
export const countBits = (bits: number): number => {
  let n = bits - ((bits >>> 1) & 0x5555)
  n = (n & 0x3333) + ((n >>> 2) & 0x3333)
  n = (n + (n >>> 4)) & 0x0f0f
  return (n + (n >>> 8)) & 0x1f
}

const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits)

/** Zeros [from, to) of a chunk. */
const erase = (chunk: Chunk, from: number, to: number): void => {
  if (to >= chunk.used) chunk.used = Math.min(chunk.used, from)
  else chunk.bytes.fill(0, from, to)
}

interface Span {
  readonly position: number
  readonly from: number
  readonly to: number
}

/**
 * What was read from rows, each in memory of its own, and zeros. Once it is sent the memory goes: the garbage
 * collector sees little of it, and would run in vain while it piles up.
 */
class Loaded extends Array<Uint8Array<ArrayBuffer>> implements Disposable {
  [Symbol.dispose](): void {
    for (const { buffer } of this) if (buffer !== zeros.buffer && !buffer.detached) buffer.transfer(0)
  }
}

export class StoredBytes implements Bytes {
  /** Names the content in the store. */
  id: number
  blocks: number
  readonly #store: ChunkStore
  /** By position: the chunks that are kept in memory. */
  readonly #chunks = new Map<number, Chunk>()
  readonly #newId: () => number

  constructor(store: ChunkStore, id: number, blocks: number, newId: () => number) {
    this.#store = store
    this.id = id
    this.blocks = blocks
    this.#newId = newId
  }

  dropped(chunk: Chunk): void {
    if (this.#chunks.get(chunk.position) === chunk) this.#chunks.delete(chunk.position)
  }

  read(offset: U64, size: number): Data {
    const first = shiftRight(offset, chunkBits)
    const from = low(offset, chunkBits)
    if (from + size <= chunkSize && (size < chunkSize || this.#chunks.has(first))) {
      const chunk = this.#kept(first)
      if (chunk === undefined || from >= chunk.used) return zeros.subarray(0, size)
      // A copy: the chunk may change before the reply is sent.
      const copy = new Uint8Array(size)
      copy.set(chunk.bytes.subarray(from, Math.min(chunk.used, from + size)))
      const views = new Loaded()
      views.push(copy)
      return views
    }
    this.#flush()
    const last = shiftRight(add(offset, size - 1), chunkBits)
    const rows = this.#store.content(this.id, first, last)
    const views = new Loaded()
    const push = (view: Uint8Array<ArrayBuffer>): void => {
      if (view.length > 0) views.push(view)
    }
    let at = 0
    for (const span of spans(offset, size)) {
      const row = rows[at]
      if (row === undefined || row[0] !== span.position) {
        push(zeros.subarray(span.from, span.to))
        continue
      }
      at++
      push(row[1].subarray(span.from, span.to))
      push(zeros.subarray(Math.max(span.from, Math.min(span.to, row[1].length)), span.to))
    }
    return views
  }

  write(offset: U64, data: Uint8Array): void {
    let done = 0
    for (const { from, position, to } of spans(offset, data.length)) {
      const source = data.subarray(done, done + to - from)
      done += to - from
      if (to - from === chunkSize) {
        const kept = this.#chunks.get(position)
        if (kept !== undefined) this.#store.drop(kept)
        const stored = this.#store.blocksAt(this.id, position)
        this.blocks += blocksPerChunk - countBits(kept?.blocks ?? stored ?? 0)
        if (stored === undefined) this.#store.add(this.id, position, whole, source)
        else this.#store.put(this.id, position, whole, source)
        continue
      }
      const chunk = this.#obtain(position)
      this.#cover(chunk, from, to)
      chunk.bytes.set(source, from)
      this.#mark(chunk, touched(from, to))
      this.#store.changed(chunk)
    }
  }

  missing(offset: U64, end: U64): number {
    if (offset >= end) return 0
    const first = shiftRight(offset, chunkBits)
    const last = shiftRight(add(end, -1), chunkBits)
    const from = low(offset, chunkBits)
    const to = low(add(end, -1), chunkBits) + 1
    if (first === last) return countBits(touched(from, to) & ~this.#bitsAt(first))
    this.#flush()
    let missing = shiftRight(add(end, blockBytes - 1), blockBits) - shiftRight(offset, blockBits)
    const count = (rows: ReadonlyArray<BlocksAt>): void => {
      for (const [position, bits] of rows) {
        const mask = position === first ? touched(from, chunkSize) : position === last ? touched(0, to) : whole
        if (position <= last) missing -= countBits(bits & mask)
      }
    }
    if (last - first <= 64) count(this.#store.blocks(this.id, first, last))
    else for (const rows of this.#rowsFrom(first, last)) count(rows)
    return missing
  }

  fitting(offset: U64, size: number, room: number): number {
    this.#flush()
    const last = shiftRight(add(offset, size - 1), chunkBits)
    const bits = new Map(this.#store.blocks(this.id, shiftRight(offset, chunkBits), last))
    let left = room
    let block = shiftRight(offset, blockBits)
    for (let done = 0; done < size; block++) {
      const allocated = bits.get(Math.floor(block / blocksPerChunk)) ?? 0
      if ((allocated & (1 << (block % blocksPerChunk))) === 0 && left-- <= 0) return done
      done += blockBytes - (done === 0 ? low(offset, blockBits) : 0)
    }
    return size
  }

  allocate(offset: U64, end: U64): void {
    if (offset >= end) return
    this.blocks += this.missing(offset, end)
    const first = shiftRight(offset, chunkBits)
    const last = shiftRight(add(end, -1), chunkBits)
    this.#dropRange(first, last)
    for (let position = first; position <= last; position++) {
      const from = position === first ? low(offset, chunkBits) : 0
      const to = position === last ? low(add(end, -1), chunkBits) + 1 : chunkSize
      this.#store.allocate(this.id, position, touched(from, to))
    }
  }

  punch(offset: U64, end: U64 | undefined): void {
    if (offset === 0 && end === undefined) this.clear()
    else
      this.#edges(
        offset,
        end,
        (chunk, from, to) => {
          erase(chunk, from, to)
          const given = chunk.blocks & covered(from, to)
          chunk.blocks &= ~given
          this.blocks -= countBits(given)
          if (chunk.blocks !== 0) {
            this.#store.changed(chunk)
            return
          }
          this.#store.drop(chunk)
          this.#store.remove(this.id, chunk.position, chunk.position)
        },
        (first, last) => {
          for (const rows of this.#rowsFrom(first, last)) {
            for (const [, bits] of rows) this.blocks -= countBits(bits)
          }
          this.#store.remove(this.id, first, last)
        }
      )
  }

  zero(offset: U64, end: U64): void {
    this.#edges(
      offset,
      end,
      (chunk, from, to) => {
        erase(chunk, from, to)
        this.#store.changed(chunk)
      },
      (first, last) => this.#store.blank(this.id, first, last)
    )
  }

  data(offset: U64): U64 | undefined {
    this.#flush()
    const block = shiftRight(offset, blockBits)
    const first = Math.floor(block / blocksPerChunk)
    for (const rows of this.#rowsFrom(first, lastPosition)) {
      for (const [position, bits] of rows) {
        const found = position === first ? bits & (whole << (block % blocksPerChunk)) & whole : bits
        if (found !== 0) return max(offset, shiftLeft(position * blocksPerChunk + lowestBit(found), blockBits))
      }
    }
    return undefined
  }

  hole(offset: U64, end?: U64): U64 {
    this.#flush()
    let block = shiftRight(offset, blockBits)
    const last = end === undefined ? lastPosition : shiftRight(add(end, -1), chunkBits)
    search: for (const rows of this.#rowsFrom(Math.floor(block / blocksPerChunk), last)) {
      for (const [position, bits] of rows) {
        if (position !== Math.floor(block / blocksPerChunk)) break search
        const free = ~bits & whole & (whole << (block % blocksPerChunk))
        if (free !== 0) {
          block = position * blocksPerChunk + lowestBit(free)
          break search
        }
        block = (position + 1) * blocksPerChunk
      }
    }
    const found = max(offset, shiftLeft(block, blockBits))
    return end === undefined ? found : min(found, end)
  }

  /** Where the row is that comes so many rows after the first one from `position` on; undefined where there are fewer. */
  rowAfter(position: number, rows: number): number | undefined {
    this.#flush()
    return this.#store.positionAfter(this.id, position, rows)
  }

  /** Where the last so many rows begin, of those from `position` on; undefined where there are fewer. */
  rowBeforeEnd(position: number, rows: number): number | undefined {
    this.#flush()
    return this.#store.positionBeforeEnd(this.id, position, rows)
  }

  /** Whether chunks of it are held in memory. */
  get isHeld(): boolean {
    return this.#chunks.size > 0
  }

  /** Gives everything back. */
  clear(): void {
    for (const chunk of this.#chunks.values()) this.#store.drop(chunk)
    if (this.blocks > largeBlocks) {
      this.#store.bury(this.id, this.blocks)
      this.id = this.#newId()
    } else if (this.blocks > 0) this.#store.removeAll(this.id)
    this.blocks = 0
  }

  #bitsAt(position: number): number {
    return this.#chunks.get(position)?.blocks ?? this.#store.blocksAt(this.id, position) ?? 0
  }

  /** Makes [from, to) part of what counts of a chunk's memory. */
  #cover(chunk: Chunk, from: number, to: number): void {
    if (to > chunk.bytes.length) this.#store.grow(chunk, to)
    if (from > chunk.used) chunk.bytes.fill(0, chunk.used, from)
    if (to > chunk.used) chunk.used = to
  }

  #mark(chunk: Chunk, bits: number): void {
    this.blocks += countBits(bits & ~chunk.blocks)
    chunk.blocks |= bits
  }

  /** The chunk at a position, in memory from now on; undefined where there is none. */
  #kept(position: number): Chunk | undefined {
    const found = this.#chunks.get(position)
    if (found !== undefined) return found
    const chunk = this.#store.load(this, position)
    if (chunk !== undefined) this.#keep(chunk)
    return chunk
  }

  #obtain(position: number): Chunk {
    return this.#kept(position) ?? this.#keep({ owner: this, position, blocks: 0, bytes: empty, used: 0, dirty: false })
  }

  #keep(chunk: Chunk): Chunk {
    this.#chunks.set(chunk.position, chunk)
    this.#store.keep(chunk)
    return chunk
  }

  /** Before the rows are looked at: they are as what is in memory says. */
  #flush(): void {
    for (const chunk of this.#chunks.values()) this.#store.flush(chunk)
  }

  /** Before rows are changed: what is in memory of them is stored and let go. */
  #dropRange(first: number, last: number): void {
    for (const chunk of this.#chunks.values()) {
      if (chunk.position < first || chunk.position > last) continue
      this.#store.flush(chunk)
      this.#store.drop(chunk)
    }
  }

  /** What rows there are from `first` to `last`, some at a time. */
  *#rowsFrom(first: number, last: number): Generator<ReadonlyArray<BlocksAt>, void, undefined> {
    for (let from = first; from <= last;) {
      const near = last - from < 64
      const rows = near ? this.#store.blocks(this.id, from, last) : this.#store.blocksFrom(this.id, from)
      const end = rows[rows.length - 1]
      if (end === undefined) return
      yield end[0] <= last ? rows : rows.filter(([position]) => position <= last)
      if (near) return
      from = end[0] + 1
    }
  }

  /** Those chunks of [offset, end) that lie in it in part, one by one; then the positions of those that lie in it wholly. */
  #edges(
    offset: U64,
    end: U64 | undefined,
    visit: (chunk: Chunk, from: number, to: number) => void,
    between: (first: number, last: number) => void
  ): void {
    if (end !== undefined && offset >= end) return
    let first = shiftRight(offset, chunkBits)
    let last = end === undefined ? lastPosition : shiftRight(add(end, -1), chunkBits)
    const from = low(offset, chunkBits)
    const to = end === undefined ? chunkSize : low(add(end, -1), chunkBits) + 1
    const edge = (position: number, start: number, stop: number): void => {
      const chunk = this.#kept(position)
      if (chunk !== undefined) visit(chunk, start, stop)
    }
    if (first === last) {
      if (from > 0 || to < chunkSize) {
        edge(first, from, to)
        return
      }
    } else {
      if (from > 0) edge(first++, from, chunkSize)
      if (to < chunkSize) edge(last--, 0, to)
    }
    if (first > last) return
    this.#dropRange(first, last)
    between(first, last)
  }
}

function* spans(offset: U64, size: number): Generator<Span, void, undefined> {
  let position = shiftRight(offset, chunkBits)
  let from = low(offset, chunkBits)
  for (let left = size; left > 0; position++, from = 0) {
    const to = Math.min(chunkSize, from + left)
    left -= to - from
    yield { position, from, to }
  }
}
