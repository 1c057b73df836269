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

export const makeNodes = ({ chunks, db, disk, entries, transaction }: StoreParts, options: SqliteOptions) => {
  const entryValid = timespec(options.entryTimeout ?? 1)
  const attrValid = timespec(options.attrTimeout ?? 1)
  const stored = readCounts(db)
  let nextId = stored?.nextId ?? rootId + 1
  const initial: Counts = stored ?? { nextId, inodes: 0, blocks: 0 }

  const newId = (): number => nextId++
  const bytesOf = (data: number, blocks: number): StoredBytes => new StoredBytes(chunks, data, blocks, newId)
  const inodes: InodeStore = makeInodeStore(db, transaction, {
    entryValid,
    attrValid,
    bytes: bytesOf,
    directory: (ino, parent) => new StoredDirectory(entries, inodes, ino, parent)
  })

  const add = (ino: number, mode: number, uid: number, gid: number, rdev: number, at: Timespec): Inode => {
    const inode = new Inode(ino, 0, mode, uid, gid, rdev, at, entryValid, attrValid)
    inode.xattrs = new Map()
    if (isRegular(inode)) inode.content = bytesOf(ino, 0)
    inodes.add(inode)
    return inode
  }

  const nodes = {
    inodes,
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
      inode.content = new StoredDirectory(entries, inodes, inode.ino, parent)
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
}

/** Gives POSIX operations a store's nodes. */
export const makeStoredFilesystem = ({ atimes, disk, forget, nodes, now, xattrs }: FilesystemParts): Filesystem => {
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
    target: ({ content }) => (typeof content === "string" || content instanceof Uint8Array ? content : undefined),
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
    xattrs: xattrs.all,
    putXattr: xattrs.put,
    removeXattr: xattrs.remove,
    unlinked: (inode, at) => {
      inode.nlink = isDirectory(inode) ? 0 : inode.nlink - 1
      inode.ctime = at
      if (inode.nlink === 0 && !inode.known) nodes.free(inode)
    },
    forget,
    accessed: (inode) => {
      if (atimes.mark(inode)) inodes.changed(inode)
    }
  }
  return filesystem
}
