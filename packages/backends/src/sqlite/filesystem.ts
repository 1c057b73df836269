/** Keeps a durable filesystem in the rows of a store: what its parts change is committed, or rolled back, together. */
import { makeAtimes } from "../posix/atime.ts"
import { systemClock } from "../posix/clock.ts"
import { permissionBits, S_IFDIR } from "../posix/linux.ts"
import { makeChunkStore } from "./chunkStore.ts"
import { makeCollector } from "./collector.ts"
import { makeEntryStore } from "./directory.ts"
import { makeDisk } from "./disk.ts"
import { makeForgotten } from "./forgotten.ts"
import type { OpenStore } from "./open.ts"
import type { SqliteOptions } from "./options.ts"
import { prepareQuery } from "./query.ts"
import { makeReplies } from "./replies.ts"
import { enterServer } from "./server.ts"
import { makeNodes, makeStoredFilesystem } from "./storedNodes.ts"
import { makeTransaction } from "./transaction.ts"
import type { Overlay } from "./underlay.ts"
import { makeXattrStore } from "./xattrs.ts"

/** Puts the parts of a store together, on its tables. A store that is fresh gets its root. */
const assemble = ({ db, log, path, reserve }: OpenStore, options: SqliteOptions, overlay?: Overlay) => {
  const now = options.clock ?? systemClock()
  const atimes = makeAtimes(now)
  const transaction = makeTransaction(db, log, reserve)
  const key = prepareQuery<[number, number]>(db, "SELECT a, b FROM hashKey").get() ?? [0, 0]
  const entries = makeEntryStore(db, transaction, { a: key[0], b: key[1] })
  const collector = makeCollector(db, transaction, log.checkpointIfLong)
  const chunks = makeChunkStore(db, transaction, collector)
  const disk = makeDisk(db, path, collector, reserve.isHeld)
  const replies = makeReplies()
  const nodes = makeNodes({ db, transaction, entries, chunks, disk }, options, overlay)
  const { inodes, underlay } = nodes
  if (nodes.isFresh && underlay === undefined) {
    const mode = S_IFDIR | ((options.mode ?? 0o755) & permissionBits)
    nodes.makeRoot(mode, options.uid ?? process.getuid?.() ?? 0, options.gid ?? process.getgid?.() ?? 0, now())
  }
  const server = enterServer(db, transaction, nodes.counts(), nodes.isFresh)
  inodes.committed()
  const forgotten = makeForgotten(nodes)
  const filesystem = makeStoredFilesystem({
    now,
    nodes,
    disk,
    atimes,
    forget: forgotten.forget,
    underlay,
    xattrs: makeXattrStore(db, transaction)
  })
  return { atimes, chunks, collector, disk, entries, filesystem, forgotten, nodes, replies, server, transaction }
}

export const makeFilesystem = (store: OpenStore, options: SqliteOptions, overlay?: Overlay) => {
  const { log, reserve } = store
  const { atimes, chunks, collector, disk, entries, filesystem, forgotten, nodes, replies, server, transaction } =
    assemble(store, options, overlay)
  const { inodes, underlay } = nodes
  let syncWanted = false
  const isDirty = (): boolean =>
    transaction.isOpen() || inodes.isDirty() || chunks.isDirty() || replies.text() !== undefined

  const commit = (): void => {
    chunks.flushAll()
    inodes.flush()
    server.write(nodes.counts(), replies.text())
    transaction.commit()
    forgotten.committed()
    inodes.committed()
    chunks.trim()
    replies.committed()
  }

  const rollback = (): void => {
    transaction.rollback()
    inodes.clear()
    underlay?.rolledBack()
    chunks.clear()
    replies.rolledBack()
    forgotten.rolledBack()
    syncWanted = false
    nodes.recount()
  }

  const forgetLingering = (): void => {
    try {
      forgotten.forgetLingering(commit)
    } catch {
      rollback()
    }
  }

  return {
    filesystem,
    /** The node id of a directory that a file lies in. */
    parentOf: entries.parentOf,
    atimes,
    inodes,
    replies,
    /** Returns the counts that statfs gives. */
    used: () => nodes.usage.total,
    limits: () => {
      const { blocksMax, maxInodes, total } = nodes.usage
      return { blocks: Math.min(blocksMax, total.blocks + disk.room()), inodes: maxInodes }
    },
    /** Has the next commit wait for the disk. */
    syncAtCommit: (): void => {
      syncWanted = true
    },
    /** Takes over what earlier servers of this connection recorded; whether there was any. */
    serve: (connection: string): boolean => {
      const texts = server.serve(connection)
      replies.adopt(texts)
      return texts.length > 0
    },
    /** Removes the records of earlier servers. */
    forgetServers: server.forgetOthers,
    isDirty,
    isSyncWanted: () => syncWanted,
    commit: (): void => {
      if (isDirty()) {
        commit()
        if (forgotten.hasLingering()) forgetLingering()
        collector.resume()
      }
      if (!log.isSafe()) log.mend()
      else if (syncWanted) log.sync()
      syncWanted = false
      log.checkpointIfLong()
    },
    /** False after the disk has failed an fsync, until `mend` has succeeded. */
    isSafe: log.isSafe,
    /** Makes every commit permanent; throws when that fails. */
    mend: (): void => {
      if (isDirty()) commit()
      log.mend()
    },
    rollback,
    /** Copies the log into the store, after a commit for which the disk had no room was rolled back. */
    makeRoom: log.makeRoom,
    /** False when the disk is full, and the room that is held must be left to removals. */
    hasSpare: reserve.hasSpare,
    close: (): void => {
      collector.stop()
      transaction.rollback()
    }
  }
}

export type StoredFilesystem = ReturnType<typeof makeFilesystem>
