/**
 * What a store may lie over: a directory of which the store holds only what differs. The store's parts ask the underlay
 * for inodes that have no row, and have it make directories and files that merge their rows with what lies below.
 */
import type { Name } from "@bickford/protocol"
import type { DatabaseSync } from "node:sqlite"
import type { Inode } from "../posix/inode.ts"
import type { Xattrs } from "../posix/xattr.ts"
import type { StoredBytes } from "./bytes.ts"
import type { ChunkStore } from "./chunkStore.ts"
import type { EntryStore, InodeSource, StoredDirectory } from "./directory.ts"
import type { Transaction } from "./transaction.ts"

/** The parts of a store that an underlay is made with. */
export interface UnderlayParts {
  readonly db: DatabaseSync
  readonly transaction: Transaction
  readonly entries: EntryStore
  readonly chunks: ChunkStore
  readonly inodes: InodeSource
  /** Gives out a number that no inode and no content of the store has. */
  readonly newId: () => number
}

/** What lies under a store. */
export interface Underlay {
  readonly directory: (ino: number, parent: number) => StoredDirectory
  readonly bytes: (ino: number, data: number, blocks: number) => StoredBytes
  /** Returns an inode that has no row yet. */
  readonly inode: (ino: number) => Inode | undefined
  /** Returns an inode that has no row yet, as it was seen last; undefined when it was never seen. */
  readonly seenInode: (ino: number) => Inode | undefined
  /** Returns the target of a symlink that has no row yet. */
  readonly target: (inode: Inode) => Name | undefined
  /** Tells whether an operation has changed an inode that has no row, which gets one if so. */
  readonly isChanged: (inode: Inode) => boolean
  /** Prepares an inode for its row: what the row needs of it is read from below. Returns whose it was, and how large. */
  readonly takeRow: (inode: Inode) => { readonly uid: number; readonly blocks: number }
  /** Called when an inode has lost its last name, and the kernel holds it. One without a row needs none for that. */
  readonly unlinked: (inode: Inode) => void
  /** Called when the row of an inode is removed. */
  readonly removed: (ino: number) => void
  /** Returns the attributes of an inode that has no row; undefined when it has one. */
  readonly xattrs: (inode: Inode) => Xattrs | undefined
  /** Called after a rollback: no inode is known to be as it is in memory. */
  readonly rolledBack: () => void
}

/** How a store lies over something else. */
export interface Overlay {
  /** The first number that the store gives out: those before are the underlay's. */
  readonly firstId: number
  readonly make: (parts: UnderlayParts) => Underlay
}
