/** Where a durable filesystem is kept: in the rows of a store. */
import { ownName, type Timespec, type U64 } from "@bickford/protocol"
import { makeAtimes } from "../posix/atime.ts"
import { systemClock, timespec } from "../posix/clock.ts"
import type { Filesystem } from "../posix/filesystem.ts"
import { Inode, isDirectory, isRegular } from "../posix/inode.ts"
import { permissionBits, S_IFDIR } from "../posix/linux.ts"
import { makeUsage } from "../posix/usage.ts"
import { StoredBytes } from "./bytes.ts"
import { makeChunkStore } from "./chunkStore.ts"
import { makeCollector } from "./collector.ts"
import { makeEntryStore, StoredDirectory } from "./directory.ts"
import { makeDisk } from "./disk.ts"
import { type InodeStore, makeInodeStore } from "./inodes.ts"
import type { OpenStore } from "./open.ts"
import type { SqliteOptions } from "./options.ts"
import { prepareQuery } from "./query.ts"
import { makeReplies } from "./replies.ts"
import { type Counts, enterServer, readCounts } from "./server.ts"
import { makeTransaction } from "./transaction.ts"
import { makeXattrStore } from "./xattrs.ts"

const rootId = 1

export const makeFilesystem = ({ db, log, path, reserve }: OpenStore, options: SqliteOptions) => {
  const now = options.clock ?? systemClock()
  const atimes = makeAtimes(now)
  const transaction = makeTransaction(db, log, reserve)
  const key = prepareQuery<[number, number]>(db, "SELECT a, b FROM hashKey").get() ?? [0, 0]
  const entries = makeEntryStore(db, transaction, { a: key[0], b: key[1] })
  const collector = makeCollector(db, transaction, log.checkpointIfLong)
  const chunks = makeChunkStore(db, transaction, collector)
  const xattrs = makeXattrStore(db, transaction)
  const disk = makeDisk(db, path, collector, reserve.isHeld)
  const replies = makeReplies()
  const entryValid = timespec(options.entryTimeout ?? 1)
  const attrValid = timespec(options.attrTimeout ?? 1)

  let nextId = rootId + 1
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

  /** What is used, as of the last commit. */
  const countUsage = ({ blocks, inodes: files }: Counts) => {
    const usage = makeUsage({
      capacity: options.capacity ?? Number.POSITIVE_INFINITY,
      // The largest count that a 32-bit statvfs can tell.
      maxInodes: options.maxInodes ?? 2 ** 32 - 1,
      userQuota: options.userQuota
    })
    if (options.userQuota === undefined) usage.charge(0, blocks, files)
    else {
      const byUser = prepareQuery<[number, number, number]>(db, "SELECT uid, sum(blocks) / 8, count(*) FROM inode GROUP BY uid")
      for (const [uid, used, count] of byUser.all()) usage.charge(uid, used, count)
    }
    const { room } = usage
    return { ...usage, room: (uid: number): number => Math.min(room(uid), disk.room()) }
  }

  const stored = readCounts(db)
  const initial: Counts = stored ?? { nextId, inodes: 0, blocks: 0 }
  nextId = initial.nextId
  let usage = countUsage(initial)
  const counts = (): Counts => ({ nextId, inodes: usage.total.inodes, blocks: usage.total.blocks })
  if (stored === undefined) {
    const mode = S_IFDIR | ((options.mode ?? 0o755) & permissionBits)
    const root = add(rootId, mode, options.uid ?? process.getuid?.() ?? 0, options.gid ?? process.getgid?.() ?? 0, 0, now())
    root.content = new StoredDirectory(entries, inodes, rootId, rootId)
    root.nlink = 2
    usage.charge(root.uid, 0, 1)
    inodes.flush()
  }
  const server = enterServer(db, transaction, counts(), stored === undefined)
  inodes.committed()

  const free = (inode: Inode): void => {
    usage.charge(inode.uid, -inode.blocks / 8, -1)
    if (inode.content instanceof StoredBytes) inode.content.clear()
    inodes.remove(inode)
  }

  /** Nodes that the kernel has forgotten since the last commit, and that are gone with it. */
  const forgotten = new Set<number>()
  /** Such nodes that are still there, as the commit failed; the kernel says it only once. */
  const lingering = new Set<number>()

  const forget = (nodeid: U64): void => {
    const inode = inodes.peek(nodeid)
    if (inode === undefined || inode.ino === rootId) return
    inode.known = false
    if (inode.nlink > 0) return
    forgotten.add(inode.ino)
    free(inode)
  }

  let syncWanted = false
  const isDirty = (): boolean => transaction.isOpen() || inodes.isDirty() || chunks.isDirty() || replies.text() !== undefined

  const filesystem: Filesystem = {
    now,
    get usage() {
      return usage
    },
    node: inodes.get,
    make: (mode, uid, gid, rdev, at) => {
      usage.charge(uid, 0, 1)
      return add(newId(), mode, uid, gid, rdev, at)
    },
    makeDirectory: (inode, parent) => {
      inode.content = new StoredDirectory(entries, inodes, inode.ino, parent.ino)
    },
    makeSymlink: (inode, target) => {
      inode.content = ownName(target)
    },
    directory: ({ content }) => content instanceof StoredDirectory ? content : undefined,
    target: ({ content }) => typeof content === "string" || content instanceof Uint8Array ? content : undefined,
    bytes: ({ content, ino }) => {
      if (content instanceof StoredBytes) return content
      throw new Error(`inode ${ino} has no bytes`)
    },
    recount: (inode, bytes) => {
      const more = bytes.blocks - inode.blocks / 8
      if (more === 0) return
      usage.charge(inode.uid, more, 0)
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
      if (inode.nlink === 0 && !inode.known) free(inode)
    },
    forget,
    accessed: (inode) => {
      if (atimes.mark(inode)) inodes.changed(inode)
    }
  }

  const commit = (): void => {
    chunks.flushAll()
    inodes.flush()
    server.write(counts(), replies.text())
    transaction.commit()
    forgotten.clear()
    inodes.committed()
    chunks.trim()
    replies.committed()
  }

  const rollback = (): void => {
    transaction.rollback()
    inodes.clear()
    chunks.clear()
    replies.rolledBack()
    for (const ino of forgotten) lingering.add(ino)
    forgotten.clear()
    syncWanted = false
    usage = countUsage(readCounts(db) ?? initial)
  }

  /** Tries again what a failed commit left. */
  const forgetLingering = (): void => {
    try {
      for (const ino of lingering) forget(ino)
      commit()
      lingering.clear()
    } catch {
      rollback()
    }
  }

  return {
    filesystem,
    atimes,
    inodes,
    replies,
    /** The counts that statfs tells. */
    used: () => usage.total,
    limits: () => ({ blocks: Math.min(usage.blocksMax, usage.total.blocks + disk.room()), inodes: usage.maxInodes }),
    /** The next commit waits for the disk. */
    syncAtCommit: (): void => {
      syncWanted = true
    },
    /** The connection that is served from now on; what earlier servers of it recorded is taken over. */
    serve: (connection: string): boolean => {
      const texts = server.serve(connection)
      replies.adopt(texts)
      return texts.length > 0
    },
    /** No earlier server's record is needed any more. */
    forgetServers: server.forgetOthers,
    isDirty,
    isSyncWanted: () => syncWanted,
    commit: (): void => {
      if (isDirty()) {
        commit()
        if (lingering.size > 0) forgetLingering()
        collector.resume()
      }
      if (!log.isSafe()) log.mend()
      else if (syncWanted) log.sync()
      syncWanted = false
      log.checkpointIfLong()
    },
    /** False after the disk has failed an fsync, until `mend` has succeeded. */
    isSafe: log.isSafe,
    /** Makes permanent what was committed; throws when that fails. */
    mend: (): void => {
      if (isDirty()) commit()
      log.mend()
    },
    rollback,
    /** After a commit for which the disk had no room was rolled back. */
    makeRoom: log.makeRoom,
    /** False when the disk is full, and what room is held must be left to removals. */
    hasSpare: reserve.hasSpare,
    close: (): void => {
      collector.stop()
      transaction.rollback()
    }
  }
}

export type StoredFilesystem = ReturnType<typeof makeFilesystem>
