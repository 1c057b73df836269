/**
 * The bytes of a regular file, sparse: chunks of up to 64 KiB, in each a bit per block of 4096 bytes that says whether the
 * block is allocated.
 *
 * Every operation asks for all that it needs of the store before it changes anything. Stored bytes that lie in no
 * allocated block, or past the end of the file, are zero.
 */
import type { Data, U64 } from "@bickford/protocol"
import { add, low, max, min, shiftLeft, shiftRight } from "@bickford/protocol/arithmetic"
import type { BytesInRows } from "../posix/slices.ts"
import type { Chunk, ChunkCache } from "./chunkCache.ts"
import { KnownRanges } from "./knownRanges.ts"
import { RowFault } from "./rowFault.ts"
import { chunkSize } from "./schema.ts"

const chunkBits = 16
const blockBits = 12
const blockBytes = 1 << blockBits
const blocksPerChunk = chunkSize / blockBytes
const whole = (1 << blocksPerChunk) - 1
/** Files with more blocks are not removed in one go. */
const largeBlocks = 4096
/** The last position there is: that of the last byte of the largest file. */
const lastPosition = 2 ** 47 - 1
const empty = new Uint8Array(0)

const bitsBetween = (from: number, to: number): number => (to <= from ? 0 : ((1 << (to - from)) - 1) << from)
/** The bits of the blocks that [from, to) touches. */
const touched = (from: number, to: number): number =>
  bitsBetween(from >>> blockBits, (to + blockBytes - 1) >>> blockBits)
/** The bits of the blocks that lie wholly in [from, to). */
const covered = (from: number, to: number): number =>
  bitsBetween((from + blockBytes - 1) >>> blockBits, to >>> blockBits)

/** How many of sixteen bits are set. */
const countBits = (bits: number): number => {
  let n = bits - ((bits >>> 1) & 0x5555)
  n = (n & 0x3333) + ((n >>> 2) & 0x3333)
  n = (n + (n >>> 4)) & 0x0f0f
  return (n + (n >>> 8)) & 0x1f
}

const lowestBit = (bits: number): number => 31 - Math.clz32(bits & -bits)

/** A part of one chunk: [from, to) of the chunk at `position`. */
interface Span {
  readonly position: number
  readonly from: number
  readonly to: number
}

function* spans(offset: U64, end: U64): Generator<Span, void, undefined> {
  const last = shiftRight(add(end, -1), chunkBits)
  let from = low(offset, chunkBits)
  for (let position = shiftRight(offset, chunkBits); position <= last; position++, from = 0)
    yield { position, from, to: position === last ? low(add(end, -1), chunkBits) + 1 : chunkSize }
}

const isWhole = ({ from, to }: Span): boolean => from === 0 && to === chunkSize

/** Makes [from, to) part of what counts of a chunk's buffer. */
const cover = (chunk: Chunk, from: number, to: number): void => {
  if (to > chunk.bytes.length) {
    const grown = new Uint8Array(Math.min(chunkSize, Math.max(to, 2 * chunk.bytes.length, blockBytes)))
    grown.set(chunk.bytes.subarray(0, chunk.used))
    chunk.bytes = grown
  }
  if (from > chunk.used) chunk.bytes.fill(0, chunk.used, from)
  if (to > chunk.used) chunk.used = to
}

/** Zeros [from, to) of a chunk. */
const erase = (chunk: Chunk, from: number, to: number): void => {
  if (to >= chunk.used) chunk.used = Math.min(chunk.used, from)
  else chunk.bytes.fill(0, from, to)
}

/** Where changes of content are noted, to be stored with the unit of work at hand. */
export interface ContentChanges {
  /** The chunk at a position is not as it is stored. */
  readonly changed: (bytes: ContentBytes, position: number) => void
  /** All chunks of a content go; a `large` one piece by piece, later. */
  readonly gone: (bytes: ContentBytes, id: number, large: boolean) => void
  /** A number that no content has. */
  readonly newId: () => number
  /**
   * A file is about to be changed, and nothing of the operation at hand can be undone any more. Throws a RowFault when the
   * file may not be changed.
   */
  readonly pin: (ino: number) => void
}

export class ContentBytes implements BytesInRows {
  /** The file's inode. */
  readonly ino: number
  /** Names the content in the store. */
  id: number
  blocks: number
  readonly #cache: ChunkCache
  readonly #changes: ContentChanges
  /** By position: the bits of allocated blocks, of those chunks of which they are known. */
  readonly #bits = new Map<number, number>()
  readonly #known = new KnownRanges()
  /** By position: the chunks whose bytes are in memory. */
  readonly #chunks = new Map<number, Chunk>()
  /** The keys of `#bits`, ascending; made when it is needed. */
  #positions: Array<number> | undefined

  constructor(cache: ChunkCache, changes: ContentChanges, ino: number, id: number, blocks: number) {
    this.ino = ino
    this.#cache = cache
    this.#changes = changes
    this.id = id
    this.blocks = blocks
    if (blocks === 0) this.#known.add(0, lastPosition)
  }

  read(offset: U64, size: number): Data {
    const end = add(offset, size)
    this.needBytes(offset, end)
    const out = new Uint8Array(size)
    let done = 0
    for (const { from, position, to } of spans(offset, end)) {
      const chunk = this.#chunks.get(position)
      if (chunk !== undefined && chunk.used > from) {
        out.set(chunk.bytes.subarray(from, Math.min(to, chunk.used)), done)
        this.#cache.used(chunk)
      }
      done += to - from
    }
    return out
  }

  write(offset: U64, data: Uint8Array): void {
    const end = add(offset, data.length)
    this.needEdges(offset, end)
    this.#changes.pin(this.ino)
    let done = 0
    for (const span of spans(offset, end)) {
      const { from, position, to } = span
      const source = data.subarray(done, done + to - from)
      done += to - from
      const chunk = isWhole(span) ? this.#blank(position) : this.#obtain(position)
      cover(chunk, from, to)
      chunk.bytes.set(source, from)
      this.#setBits(position, this.#bitsAt(position) | touched(from, to))
      this.#cache.resized(chunk)
    }
  }

  missing(offset: U64, end: U64): number {
    if (offset >= end) return 0
    const first = shiftRight(offset, chunkBits)
    const last = shiftRight(add(end, -1), chunkBits)
    this.#needBits(first, last)
    let missing = shiftRight(add(end, blockBytes - 1), blockBits) - shiftRight(offset, blockBits)
    for (const position of this.#stored(first, last)) {
      const from = position === first ? low(offset, chunkBits) : 0
      const to = position === last ? low(add(end, -1), chunkBits) + 1 : chunkSize
      missing -= countBits(this.#bitsAt(position) & touched(from, to))
    }
    return missing
  }

  fitting(offset: U64, size: number, room: number): number {
    this.#needBits(shiftRight(offset, chunkBits), shiftRight(add(offset, size - 1), chunkBits))
    let left = room
    let block = shiftRight(offset, blockBits)
    for (let done = 0; done < size; block++) {
      const allocated = this.#bitsAt(Math.floor(block / blocksPerChunk))
      if ((allocated & (1 << (block % blocksPerChunk))) === 0 && left-- <= 0) return done
      done += blockBytes - (done === 0 ? low(offset, blockBits) : 0)
    }
    return size
  }

  allocate(offset: U64, end: U64): void {
    if (offset >= end) return
    this.#needBits(shiftRight(offset, chunkBits), shiftRight(add(end, -1), chunkBits))
    this.#changes.pin(this.ino)
    for (const { from, position, to } of spans(offset, end)) {
      const bits = this.#bitsAt(position)
      const more = touched(from, to)
      if ((bits | more) === bits) continue
      if (bits === 0) this.#blank(position)
      this.#setBits(position, bits | more)
    }
  }

  punch(offset: U64, end: U64 | undefined): void {
    if (offset === 0 && end === undefined) this.clear()
    else
      this.#edit(
        offset,
        end,
        (position, from, to) => {
          const chunk = this.#obtain(position)
          erase(chunk, from, to)
          this.#setBits(position, this.#bitsAt(position) & ~covered(from, to))
        },
        (position) => this.#setBits(position, 0)
      )
  }

  zero(offset: U64, end: U64): void {
    this.#edit(
      offset,
      end,
      (position, from, to) => {
        erase(this.#obtain(position), from, to)
        this.#setBits(position, this.#bitsAt(position))
      },
      (position) => {
        this.#blank(position)
        this.#setBits(position, this.#bitsAt(position))
      }
    )
  }

  data(offset: U64): U64 | undefined {
    const block = shiftRight(offset, blockBits)
    const first = Math.floor(block / blocksPerChunk)
    for (let from = first; from <= lastPosition;) {
      const last = this.#lastKnown(from)
      for (const position of this.#stored(from, last)) {
        const bits = this.#bitsAt(position)
        const found = position === first ? bits & (whole << (block % blocksPerChunk)) & whole : bits
        if (found !== 0) return max(offset, shiftLeft(position * blocksPerChunk + lowestBit(found), blockBits))
      }
      from = last + 1
    }
    return undefined
  }

  hole(offset: U64, end?: U64): U64 {
    const last = end === undefined ? lastPosition : shiftRight(add(end, -1), chunkBits)
    let block = shiftRight(offset, blockBits)
    for (let position = Math.floor(block / blocksPerChunk); position <= last; position++) {
      this.#lastKnown(position)
      const free = ~this.#bitsAt(position) & whole & (whole << (block % blocksPerChunk))
      if (free !== 0) {
        block = position * blocksPerChunk + lowestBit(free)
        break
      }
      block = (position + 1) * blocksPerChunk
    }
    const found = max(offset, shiftLeft(block, blockBits))
    return end === undefined ? found : min(found, end)
  }

  /** Gives everything back. */
  clear(): void {
    if (this.blocks === 0) return
    // What is written next has another number, so that its rows are never those that go. There may be none in memory.
    const next = this.#changes.newId()
    this.remove()
    this.id = next
    this.#known.add(0, lastPosition)
  }

  /** Gives everything back, of a file that goes as well. */
  remove(): void {
    this.#changes.pin(this.ino)
    if (this.blocks > 0) this.#changes.gone(this, this.id, this.blocks > largeBlocks)
    this.blocks = 0
    this.forget()
  }

  /** Drops all that is in memory of it. */
  forget(): void {
    for (const chunk of this.#chunks.values()) this.#cache.drop(chunk)
    this.#chunks.clear()
    this.#bits.clear()
    this.#positions = undefined
    this.#known.clear()
  }

  /** Throws a RowFault when bytes of [offset, end) are not in memory. */
  needBytes(offset: U64, end: U64): void {
    if (offset >= end) return
    this.#needChunks(shiftRight(offset, chunkBits), shiftRight(add(end, -1), chunkBits))
  }

  rowAfter(position: number, rows: number): number | undefined {
    this.#needBits(position, lastPosition)
    return this.#stored(position + 1, lastPosition)[rows]
  }

  rowBeforeEnd(position: number, rows: number): number | undefined {
    this.#needBits(position, lastPosition)
    const found = this.#sorted().at(-rows)
    return found !== undefined && found >= position ? found : undefined
  }

  /** Throws a RowFault when what writing to [offset, end) needs is not in memory: bits, and chunks written in part. */
  needEdges(offset: U64, end: U64): void {
    if (offset >= end) return
    const first = shiftRight(offset, chunkBits)
    const last = shiftRight(add(end, -1), chunkBits)
    const startsWithin = low(offset, chunkBits) > 0
    const endsWithin = low(end, chunkBits) > 0
    const isLacking =
      !this.#knowsBits(first, last) ||
      ((startsWithin || (first === last && endsWithin)) && this.#lacks(first)) ||
      (endsWithin && last > first && this.#lacks(last))
    if (isLacking) throw new RowFault({ kind: "edges", content: this, first, last })
  }

  /** What was loaded of the chunks from `first` to `last`, with or without their bytes: what memory knows of them is right, and stays. */
  loadedChunks(
    first: number,
    last: number,
    rows: ReadonlyArray<{ readonly position: number; readonly bits: number; readonly bytes: Uint8Array | undefined }>
  ): void {
    for (const { bits, bytes, position } of rows) {
      if (this.#known.lastOf(position) === undefined) this.#remember(position, bits)
      else if (this.#bitsAt(position) === 0) continue
      if (bytes !== undefined && !this.#chunks.has(position))
        this.#keep({ owner: this, position, bytes, used: bytes.length })
    }
    this.#known.add(first, last)
  }

  /** What was loaded of the bits from `first` to `last`: what memory knows of them is right, and stays. */
  loadedBits(
    first: number,
    last: number,
    rows: ReadonlyArray<{ readonly position: number; readonly bits: number }>
  ): void {
    for (const { bits, position } of rows)
      if (this.#known.lastOf(position) === undefined) this.#remember(position, bits)
    this.#known.add(first, last)
  }

  dropped(chunk: Chunk): void {
    if (this.#chunks.get(chunk.position) === chunk) this.#chunks.delete(chunk.position)
  }

  /** A chunk as it is to be stored: no bits, it has no row; no bytes, those that are stored stay. */
  stored(position: number): { readonly bits: number; readonly bytes: Uint8Array | undefined } {
    const chunk = this.#chunks.get(position)
    return { bits: this.#bitsAt(position), bytes: chunk?.bytes.subarray(0, chunk.used) }
  }

  #bitsAt(position: number): number {
    return this.#bits.get(position) ?? 0
  }

  #remember(position: number, bits: number): void {
    if (!this.#bits.has(position)) this.#positions = undefined
    this.#bits.set(position, bits)
  }

  /** Sets the bits of a chunk, which is to be stored anew; one without any goes. */
  #setBits(position: number, bits: number): void {
    this.blocks += countBits(bits) - countBits(this.#bitsAt(position))
    if (bits === 0) {
      const chunk = this.#chunks.get(position)
      if (chunk !== undefined) this.#cache.drop(chunk)
      this.#chunks.delete(position)
      if (this.#bits.delete(position)) {
        // A file that is cut off slice by slice loses its last ones: they need not be sorted anew.
        if (this.#positions?.at(-1) === position) this.#positions.pop()
        else this.#positions = undefined
      }
    } else this.#remember(position, bits)
    this.#changes.changed(this, position)
  }

  /** The positions of allocated chunks from `first` to `last`, ascending. */
  #stored(first: number, last: number): ReadonlyArray<number> {
    if (last - first <= 32) {
      const few: Array<number> = []
      for (let position = first; position <= last; position++) if (this.#bits.has(position)) few.push(position)
      return few
    }
    return this.#sorted().filter((position) => position >= first && position <= last)
  }

  #sorted(): ReadonlyArray<number> {
    return (this.#positions ??= [...this.#bits.keys()].sort((a, b) => a - b))
  }

  /** The last chunk of those from `position` on of which the bits are known. */
  #lastKnown(position: number): number {
    const last = this.#known.lastOf(position)
    if (last === undefined) throw new RowFault({ kind: "bits", content: this, first: position })
    return last
  }

  #knowsBits(first: number, last: number): boolean {
    for (let from = first; from <= last;) {
      const known = this.#known.lastOf(from)
      if (known === undefined) return false
      from = known + 1
    }
    return true
  }

  /** Whether the bytes of a chunk are not in memory, unless there are none. */
  #lacks(position: number): boolean {
    return !this.#chunks.has(position) && (this.#known.lastOf(position) === undefined || this.#bits.has(position))
  }

  #needBits(first: number, last: number): void {
    for (let from = first; from <= last;) from = this.#lastKnown(from) + 1
  }

  #needChunks(first: number, last: number): void {
    if ((this.#known.lastOf(first) ?? -1) >= last) {
      const lacking = this.#stored(first, last).filter((position) => !this.#chunks.has(position))
      const [from] = lacking
      if (from !== undefined)
        throw new RowFault({ kind: "chunks", content: this, first: from, last: lacking.at(-1) ?? from })
      return
    }
    let from = first
    let to = last
    while (from <= to && !this.#lacks(from)) from++
    while (to > from && !this.#lacks(to)) to--
    if (from <= to) throw new RowFault({ kind: "chunks", content: this, first: from, last: to })
  }

  /** The chunk at a position, whose bytes are known; an empty one where there is none. */
  #obtain(position: number): Chunk {
    return this.#chunks.get(position) ?? this.#keep({ owner: this, position, bytes: empty, used: 0 })
  }

  /** The chunk at a position, all zero, whatever it was. */
  #blank(position: number): Chunk {
    const chunk = this.#obtain(position)
    chunk.used = 0
    return chunk
  }

  #keep(chunk: Chunk): Chunk {
    this.#chunks.set(chunk.position, chunk)
    this.#cache.keep(chunk)
    return chunk
  }

  /** Those allocated chunks of [offset, end) that lie in it in part, and those that lie in it wholly. */
  #edit(
    offset: U64,
    end: U64 | undefined,
    edge: (position: number, from: number, to: number) => void,
    within: (position: number) => void
  ): void {
    if (end !== undefined && offset >= end) return
    const first = shiftRight(offset, chunkBits)
    const last = end === undefined ? lastPosition : shiftRight(add(end, -1), chunkBits)
    const from = low(offset, chunkBits)
    const to = end === undefined ? chunkSize : low(add(end, -1), chunkBits) + 1
    if (from > 0 || (first === last && to < chunkSize)) this.#needChunks(first, first)
    if (to < chunkSize && last > first) this.#needChunks(last, last)
    this.#needBits(first, last)
    this.#changes.pin(this.ino)
    for (const position of this.#stored(first, last).toReversed()) {
      const start = position === first ? from : 0
      const stop = position === last ? to : chunkSize
      if (start === 0 && stop === chunkSize) within(position)
      else edge(position, start, stop)
    }
  }
}
