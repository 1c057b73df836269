/** The content of a file with a row: its chunks, and what the base still has of it. */
import { min } from "@bickford/protocol/arithmetic"
import { chunkSize } from "../sqlite/schema.ts"
import { pathFromBytes } from "./branchPath.ts"
import type { BranchView } from "./branchView.ts"
import type { ChangedTree, StoredInode } from "./changedTree.ts"
import type { Origin } from "./origins.ts"

/** Content that can be read by chunks of 64 KiB. */
export interface StoredContent {
  readonly size: number
  /** The positions whose chunks are stored. */
  readonly stored: ReadonlySet<number>
  /** Whether a chunk is all of the base's. */
  readonly isOfBase: (position: number) => boolean
  /** The bytes of a chunk, as far as the file goes; undefined for one that is a hole. */
  readonly chunk: (position: number) => Uint8Array | undefined
}

/** Calls `body` with the content of a regular file that has a row. */
export const withContent = <A>(
  view: BranchView,
  tree: ChangedTree,
  inode: StoredInode,
  body: (content: StoredContent) => A
): A => {
  const { data = -1, size } = inode
  const stored = new Set(view.chunks.positions.all(data).map(([position]) => position))
  const origin = tree.origins.get(inode.ino)
  const visible = Number(origin?.visible ?? 0)
  const isOfBase = (position: number): boolean => position * chunkSize < visible && !stored.has(position)

  const use = (read: (offset: number, length: number) => Uint8Array): A => {
    /** The start of a chunk, with zeros to its end. */
    const padded = (position: number, bytes: Uint8Array): Uint8Array => {
      const length = Math.min(chunkSize, size - position * chunkSize)
      if (bytes.length >= length) return bytes.subarray(0, length)
      const whole = new Uint8Array(length)
      whole.set(bytes)
      return whole
    }
    return body({
      size,
      stored,
      isOfBase,
      chunk: (position) => {
        const start = position * chunkSize
        if (start >= size) return undefined
        if (isOfBase(position)) return padded(position, read(start, Math.min(chunkSize, visible - start)))
        const found = view.chunks.at.get(data, position)
        return found === undefined || (found[0] === 0 && found[1].length === 0) ? undefined : padded(position, found[1])
      }
    })
  }
  if (origin === undefined || visible === 0) return use(() => new Uint8Array(0))
  return view.reading(pathFromBytes(origin.path), use)
}

/** Whether some of a file's bytes are the base's: those that no stored chunk is in place of. */
export const takesFromBase = (view: BranchView, { visible }: Origin, { data = -1, size }: StoredInode): boolean => {
  const chunks = Math.ceil(Number(min(visible, size)) / chunkSize)
  return (view.chunks.countBefore.get(data, chunks)?.[0] ?? 0) < chunks
}

/** Whether a file with a row has the bytes that a base file has. */
export const hasBytesOf = (view: BranchView, tree: ChangedTree, inode: StoredInode, basePath: string): boolean => {
  const base = view.stat(basePath)
  if (base === undefined || base.size !== inode.size) return false
  const origin = tree.origins.get(inode.ino)
  const isOwn = origin !== undefined && pathFromBytes(origin.path) === basePath
  return withContent(view, tree, inode, (content) =>
    view.reading(basePath, (read) => {
      for (let position = 0; position * chunkSize < inode.size; position++) {
        if (isOwn && content.isOfBase(position)) continue
        const length = Math.min(chunkSize, inode.size - position * chunkSize)
        const there = read(position * chunkSize, length)
        const here = content.chunk(position) ?? new Uint8Array(length)
        if (Buffer.compare(here, there) !== 0) return false
      }
      return true
    })
  )
}
