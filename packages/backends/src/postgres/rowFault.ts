/** Rows that the rules ask for and memory does not have: the operation is undone, the rows are loaded, and it runs again. */
import type { Name } from "@bickford/protocol"

/** A file's content, for what is loaded of it. */
interface LoadingContent {
  /** Names the content in the store. */
  readonly id: number
  readonly loadedChunks: (
    first: number,
    last: number,
    rows: ReadonlyArray<{ readonly position: number; readonly bits: number; readonly bytes: Uint8Array | undefined }>
  ) => void
  readonly loadedBits: (
    first: number,
    last: number,
    rows: ReadonlyArray<{ readonly position: number; readonly bits: number }>
  ) => void
}

/** What one statement loads. */
export type Missing =
  | { readonly kind: "inodes"; readonly inos: ReadonlyArray<number> }
  /** A name of a directory, with the inode that it names, and the directory's own inode. */
  | { readonly kind: "name"; readonly parent: number; readonly name: Name }
  /** Entries of a directory from a cookie on; with their inodes, where a listing shows attributes. */
  | { readonly kind: "page"; readonly parent: number; readonly after: number; readonly withInodes: boolean }
  /** Which blocks are allocated, from a chunk on. */
  | { readonly kind: "bits"; readonly content: LoadingContent; readonly first: number }
  /** The chunks from `first` to `last`, with their bytes. */
  | { readonly kind: "chunks"; readonly content: LoadingContent; readonly first: number; readonly last: number }
  /** Which blocks are allocated from the chunk `first` to `last`, and the bytes of these two. */
  | { readonly kind: "edges"; readonly content: LoadingContent; readonly first: number; readonly last: number }
  /** Leases to change inodes. */
  | { readonly kind: "change"; readonly inos: ReadonlyArray<number> }
  /** The database's word that the leases are still held. */
  | { readonly kind: "trust" }
  /** Numbers for new inodes. */
  | { readonly kind: "ids" }

/** Thrown through the rules, and caught by what runs them. */
export class RowFault {
  readonly missing: Missing

  constructor(missing: Missing) {
    this.missing = missing
  }
}
