/** The rows of inodes, and those of them that are kept in memory: changed there, and written at the commit. */
import type { U64 } from "@bickford/protocol"
import type { DatabaseSync } from "node:sqlite"
import type { Inode } from "../posix/inode.ts"
import type { InodeSource } from "./directory.ts"
import { type InodeSettings, makeInodeRows } from "./inodeRow.ts"
import type { Transaction } from "./transaction.ts"

/** Inodes kept in memory, about 300 bytes each. */
const cachedMax = 1 << 17

/** Lets the oldest tenth go. */
const shrink = (cache: Map<number, Inode>): void => {
  for (const ino of cache.keys()) {
    cache.delete(ino)
    if (cache.size <= cachedMax * 0.9) return
  }
}

/** Inodes that were changed since the last commit. */
const makeChanges = () => {
  let dirty = new Set<Inode>()
  /** Made since the last commit: they have no row yet. */
  let fresh = new Set<Inode>()
  return {
    made: (inode: Inode): void => {
      fresh.add(inode)
      dirty.add(inode)
    },
    changed: (inode: Inode): void => void dirty.add(inode),
    /** Whether it has a row. */
    removed: (inode: Inode): boolean => {
      dirty.delete(inode)
      return !fresh.delete(inode)
    },
    all: (): ReadonlySet<Inode> => dirty,
    isFresh: (inode: Inode): boolean => fresh.has(inode),
    /** Begins new sets: a cleared one's old table refers to its new one, and once it is old itself keeps all that follow. */
    clear: (): void => {
      if (dirty.size > 0) dirty = new Set()
      if (fresh.size > 0) fresh = new Set()
    }
  }
}

/** Finds the inode of a node id: in memory, as it is `below`, or as `load` reads it. */
const finding =
  (
    cache: ReadonlyMap<number, Inode>,
    { underlay }: InodeSettings,
    below: "inode" | "seenInode",
    load: (ino: number) => Inode | undefined
  ) =>
  (nodeid: U64): Inode | undefined =>
    typeof nodeid === "number" ? (cache.get(nodeid) ?? underlay()?.[below](nodeid) ?? load(nodeid)) : undefined

export const makeInodeStore = (db: DatabaseSync, transaction: Transaction, settings: InodeSettings) => {
  const rows = makeInodeRows(db, settings)
  const cache = new Map<number, Inode>()
  const changes = makeChanges()
  /** What the operation under way has found, if it is one that changes what it finds. */
  let found: Array<Inode> | undefined

  const load = (ino: number): Inode | undefined => {
    const inode = rows.read(ino)
    if (inode === undefined) return undefined
    // An earlier server may have told the kernel of it.
    inode.known = true
    cache.set(ino, inode)
    return inode
  }

  const peek = finding(cache, settings, "inode", load)

  const add = (inode: Inode): void => {
    cache.set(inode.ino, inode)
    changes.made(inode)
  }

  /** Has an inode that the operation under way has found stored anew; one that lies below gets a row, if it was changed. */
  const settleOne = (inode: Inode): void => {
    if (cache.get(inode.ino) === inode) changes.changed(inode)
    else if (settings.underlay()?.isChanged(inode) === true) {
      settings.underlay()?.takeRow(inode)
      add(inode)
    }
  }

  const inodes: InodeSource = {
    peek,
    get: (nodeid) => {
      const inode = peek(nodeid)
      if (found !== undefined && inode !== undefined) found.push(inode)
      return inode
    }
  }

  return {
    ...inodes,
    /** As `peek`, of a file that the kernel holds: as it was seen last. */
    held: finding(cache, settings, "seenInode", load),
    changed: (inode: Inode): void => {
      if (cache.has(inode.ino)) changes.changed(inode)
    },
    /** Tells whether an inode has a row, or gets one at the next commit. */
    isStored: (inode: Inode): boolean => cache.get(inode.ino) === inode,
    /** Begins an operation that may change what it finds. */
    watch: (): void => {
      found = []
    },
    /** Ends it: what it found is stored anew, when it succeeded. */
    settle: (succeeded: boolean): void => {
      if (succeeded) for (const inode of found ?? []) settleOne(inode)
      found = undefined
    },
    add,
    remove: (inode: Inode): void => {
      cache.delete(inode.ino)
      transaction.begin()
      if (changes.removed(inode)) rows.remove(inode.ino)
      if (inode.xattrs === undefined || inode.xattrs.size > 0) rows.removeXattrs(inode.ino)
      settings.underlay()?.removed(inode.ino)
    },
    isDirty: (): boolean => changes.all().size > 0,
    flush: (): void => {
      if (changes.all().size === 0) return
      // Rows of inodes that are changed together often share a page.
      transaction.begin(1 + (changes.all().size >>> 2))
      for (const inode of changes.all()) {
        if (changes.isFresh(inode)) rows.insert(inode)
        else rows.update(inode)
      }
    },
    /** After a commit: everything is stored, so some can be let go. */
    committed: (): void => {
      changes.clear()
      if (cache.size > cachedMax) shrink(cache)
    },
    /** After a rollback: nothing of what is in memory is known to be stored. */
    clear: (): void => {
      cache.clear()
      changes.clear()
    },
    orphans: rows.orphans
  }
}

export type InodeStore = ReturnType<typeof makeInodeStore>
