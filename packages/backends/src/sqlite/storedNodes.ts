/** The nodes of a store: its inodes with what they hold, from their making to their removal, and what all of them use. */
import { ownName, type Timespec, type U64 } from "@bickford/protocol"
import type { DatabaseSync } from "node:sqlite"
import type { makeAtimes } from "../posix/atime.ts"
import { timespec } from "../posix/clock.ts"
import type { Filesystem } from "../posix/filesystem.ts"
import { Inode, isDirectory, isRegular } from "../posix/inode.ts"
import { StoredBytes } from "./bytes.ts"
import type { ChunkStore } from "./chunkStore.ts"
import { type EntryStore, StoredDirectory } from "./directory.ts"
import type { makeDisk } from "./disk.ts"
import { type InodeStore, makeInodeStore } from "./inodes.ts"
import type { SqliteOptions } from "./options.ts"
import { type Counts, readCounts } from "./server.ts"
import { countUsage } from "./storedUsage.ts"
import type { Transaction } from "./transaction.ts"
import type { Overlay, Underlay } from "./underlay.ts"
import type { makeXattrStore } from "./xattrs.ts"

export const rootId = 1

/** The parts of a store that its nodes are made of. */
interface StoreParts {
  readonly db: DatabaseSync
  readonly transaction: Transaction
  readonly entries: EntryStore
  readonly chunks: ChunkStore
  readonly disk: ReturnType<typeof makeDisk>
}

export const makeNodes = (parts: StoreParts, options: SqliteOptions, overlay?: Overlay) => {
  const { chunks, db, disk, entries, transaction } = parts
  const entryValid = timespec(options.entryTimeout ?? 1)
  const attrValid = timespec(options.attrTimeout ?? 1)
  const stored = readCounts(db)
  let nextId = stored?.nextId ?? overlay?.firstId ?? rootId + 1
  const initial: Counts = stored ?? { nextId, inodes: 0, blocks: 0 }

  const newId = (): number => nextId++
  const bytesOf = (ino: number, data: number, blocks: number): StoredBytes =>
    underlay?.bytes(ino, data, blocks) ?? new StoredBytes(chunks, data, blocks, newId)
  const directoryOf = (ino: number, parent: number): StoredDirectory =>
    underlay?.directory(ino, parent) ?? new StoredDirectory(entries, inodes, ino, parent)
  const inodes: InodeStore = makeInodeStore(db, transaction, {
    entryValid,
    attrValid,
    bytes: bytesOf,
    directory: directoryOf,
    underlay: () => below
  })
  const underlay = overlay?.make({ db, transaction, entries, chunks, inodes, newId })
  /** As the underlay, but what gets a row is counted from then on. */
  const below = underlay && {
    ...underlay,
    takeRow: (inode: Inode) => {
      const had = underlay.takeRow(inode)
      nodes.usage.charge(had.uid, had.blocks / 8, 1)
      return had
    }
  }

  const add = (ino: number, mode: number, uid: number, gid: number, rdev: number, at: Timespec): Inode => {
    const inode = new Inode(ino, 0, mode, uid, gid, rdev, at, entryValid, attrValid)
    inode.xattrs = new Map()
    if (isRegular(inode)) inode.content = bytesOf(ino, ino, 0)
    inodes.add(inode)
    return inode
  }

  const nodes = {
    inodes,
    underlay,
    /** The store has no root yet. */
    isFresh: stored === undefined,
    usage: countUsage(db, options, disk.room, initial),
    counts: (): Counts => ({ nextId, inodes: nodes.usage.total.inodes, blocks: nodes.usage.total.blocks }),
    /** Counts anew what is used, after a rollback. */
    recount: (): void => {
      nodes.usage = countUsage(db, options, disk.room, readCounts(db) ?? initial)
    },
    make: (mode: number, uid: number, gid: number, rdev: number, at: Timespec): Inode => {
      nodes.usage.charge(uid, 0, 1)
      return add(newId(), mode, uid, gid, rdev, at)
    },
    makeDirectory: (inode: Inode, parent: number): void => {
      inode.content = directoryOf(inode.ino, parent)
    },
    makeRoot: (mode: number, uid: number, gid: number, at: Timespec): void => {
      const root = add(rootId, mode, uid, gid, 0, at)
      nodes.makeDirectory(root, rootId)
      root.nlink = 2
      nodes.usage.charge(uid, 0, 1)
      inodes.flush()
    },
    /** Removes a node that has neither a name nor a lookup of the kernel's. */
    free: (inode: Inode): void => {
      if (!inodes.isStored(inode)) {
        underlay?.removed(inode.ino)
        return
      }
      nodes.usage.charge(inode.uid, -inode.blocks / 8, -1)
      if (inode.content instanceof StoredBytes) inode.content.clear()
      inodes.remove(inode)
    }
  }
  return nodes
}

export type StoredNodes = ReturnType<typeof makeNodes>

interface FilesystemParts {
  readonly now: () => Timespec
  readonly nodes: StoredNodes
  readonly disk: Pick<ReturnType<typeof makeDisk>, "took">
  readonly xattrs: ReturnType<typeof makeXattrStore>
  readonly atimes: Pick<ReturnType<typeof makeAtimes>, "mark">
  readonly forget: (nodeid: U64) => void
  readonly underlay: Underlay | undefined
}

/** Gives POSIX operations a store's nodes. */
export const makeStoredFilesystem = ({
  atimes,
  disk,
  forget,
  nodes,
  now,
  underlay,
  xattrs
}: FilesystemParts): Filesystem => {
  const { inodes } = nodes
  const filesystem: Filesystem = {
    now,
    get usage() {
      return nodes.usage
    },
    node: inodes.get,
    make: nodes.make,
    makeDirectory: (inode, parent) => nodes.makeDirectory(inode, parent.ino),
    makeSymlink: (inode, target) => {
      inode.content = ownName(target)
    },
    directory: ({ content }) => (content instanceof StoredDirectory ? content : undefined),
    target: (inode) => {
      const { content } = inode
      return typeof content === "string" || content instanceof Uint8Array ? content : underlay?.target(inode)
    },
    bytes: ({ content, ino }) => {
      if (content instanceof StoredBytes) return content
      throw new Error(`inode ${ino} has no bytes`)
    },
    recount: (inode, bytes) => {
      const more = bytes.blocks - inode.blocks / 8
      if (more === 0) return
      nodes.usage.charge(inode.uid, more, 0)
      disk.took(more)
      inode.blocks = bytes.blocks * 8
    },
    resize: (inode, size) => {
      if (inode.blocks > 0) {
        const bytes = filesystem.bytes(inode)
        bytes.punch(size, undefined)
        filesystem.recount(inode, bytes)
      }
      inode.size = size
    },
    xattrs: (inode) => underlay?.xattrs(inode) ?? xattrs.all(inode),
    putXattr: xattrs.put,
    removeXattr: xattrs.remove,
    unlinked: (inode, at) => {
      inode.nlink = isDirectory(inode) ? 0 : inode.nlink - 1
      inode.ctime = at
      if (inode.nlink > 0) return
      if (inode.known) underlay?.unlinked(inode)
      else nodes.free(inode)
    },
    forget,
    accessed: (inode) => {
      if (atimes.mark(inode)) inodes.changed(inode)
    }
  }
  return filesystem
}
