/**
 * The chunks of a file of which a part is the base's: where no row is, the base has the chunk, up to `visible`. A chunk that
 * is changed in part is read from the base first, and then is a row like any other; a hole in what the base has is a row
 * without blocks.
 */
import type { BlocksAt } from "../sqlite/chunkRows.ts"
import type { ChunkStore } from "../sqlite/chunkStore.ts"
import { chunkSize } from "../sqlite/schema.ts"

const blockBytes = 4096
/** Rows that a look at many takes at a time. */
const pageRows = 256
const empty = new Uint8Array(0)

/** A base file's content, as much of it as is still seen. */
export interface ContentBelow {
  /** Bytes from the start. */
  readonly visible: () => number
  /** From `end` on nothing of the base is seen any more. */
  readonly cut: (end: number) => void
  /** Reads up to `length` bytes. Throws when the base is not what it was. */
  readonly read: (offset: number, length: number) => Uint8Array<ArrayBuffer>
}

/** How many blocks so many bytes take. */
export const blocksOf = (bytes: number): number => Math.ceil(bytes / blockBytes)

/** Rows from `first` to `last`, and those of `make` between them, up to `end`. */
const filledUp = <Row extends readonly [position: number, ...ReadonlyArray<unknown>]>(
  rows: ReadonlyArray<Row>,
  first: number,
  last: number,
  end: number,
  make: (position: number) => Row
): Array<Row> => {
  const filled: Array<Row> = []
  let at = first
  const fillTo = (stop: number): void => {
    for (; at < Math.min(stop, end); at++) filled.push(make(at))
  }
  for (const row of rows) {
    fillTo(row[0])
    filled.push(row)
    at = row[0] + 1
  }
  fillTo(last + 1)
  return filled
}

/** Rows that there are from `position` on, or so many. */
const countRows = (chunks: ChunkStore, data: number, position: number, most: number): number => {
  let count = 0
  for (let from = position; count < most;) {
    const rows = chunks.blocksFrom(data, from)
    count += rows.length
    const lastRow = rows.at(-1)
    if (lastRow === undefined || rows.length < pageRows) break
    from = lastRow[0] + 1
  }
  return Math.min(count, most)
}

export const chunksOver = (chunks: ChunkStore, below: ContentBelow): ChunkStore => {
  /** The first position of which the base has nothing. */
  const end = (): number => Math.ceil(below.visible() / chunkSize)
  const bytesBelow = (position: number): number => Math.min(chunkSize, below.visible() - position * chunkSize)
  const bitsBelow = (position: number): number => 2 ** blocksOf(bytesBelow(position)) - 1
  const read = (position: number) => below.read(position * chunkSize, bytesBelow(position))

  const bitsRow = (position: number): BlocksAt => [position, bitsBelow(position)]

  const isBelow = (data: number, position: number): boolean =>
    position < end() && chunks.blocksAt(data, position) === undefined

  return {
    ...chunks,
    load: (owner, position) => {
      const row = chunks.load(owner, position)
      if (row !== undefined || position >= end()) return row
      const bytes = read(position)
      return { owner, position, blocks: bitsBelow(position), bytes, used: bytes.length, dirty: false }
    },
    content: (data, first, last) =>
      filledUp(chunks.content(data, first, last), first, last, end(), (position) => [position, read(position)]),
    blocks: (data, first, last) => filledUp(chunks.blocks(data, first, last), first, last, end(), bitsRow),
    blocksFrom: (data, position) => {
      const rows = chunks.blocksFrom(data, position)
      const last = rows.length < pageRows ? position + pageRows : (rows.at(-1)?.[0] ?? position)
      return filledUp(rows, position, Math.min(last, position + pageRows), end(), bitsRow).slice(0, pageRows)
    },
    positionAfter: (data, position, rows) => {
      if (position + rows < end()) return position + rows
      const passed = Math.max(0, end() - position)
      return chunks.positionAfter(data, Math.max(position, end()), rows - passed)
    },
    positionBeforeEnd: (data, position, rows) => {
      const from = Math.max(position, end())
      const stored = chunks.positionBeforeEnd(data, from, rows)
      if (stored !== undefined) return stored
      const start = end() - (rows - countRows(chunks, data, from, rows))
      return start >= position && start < end() ? start : undefined
    },
    blocksAt: (data, position) =>
      chunks.blocksAt(data, position) ?? (position < end() ? bitsBelow(position) : undefined),
    allocate: (data, position, blocks) => {
      if (!isBelow(data, position)) chunks.allocate(data, position, blocks)
      else if ((blocks & ~bitsBelow(position)) !== 0)
        chunks.put(data, position, bitsBelow(position) | blocks, read(position))
    },
    blank: (data, first, last) => {
      chunks.blank(data, first, last)
      for (let position = first; position <= Math.min(last, end() - 1); position++)
        if (isBelow(data, position)) chunks.put(data, position, bitsBelow(position), empty)
    },
    remove: (data, first, last) => {
      chunks.remove(data, first, last)
      if (first >= end()) return
      if (last >= end() - 1) below.cut(first * chunkSize)
      else for (let position = first; position <= last; position++) chunks.put(data, position, 0, empty)
    },
    removeAll: (data) => {
      chunks.removeAll(data)
      below.cut(0)
    },
    bury: (data, blocks) => {
      chunks.bury(data, blocks)
      below.cut(0)
    }
  }
}
