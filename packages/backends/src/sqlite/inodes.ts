/** The rows of inodes, and those of them that are kept in memory: changed there, and written at the commit. */
import { nameFromBytes, nameToBytes, type Timespec, type U64 } from "@bickford/protocol"
import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import { type Content, Inode } from "../posix/inode.ts"
import { S_IFLNK, S_IFMT } from "../posix/linux.ts"
import { normal } from "@bickford/protocol/arithmetic"
import { StoredBytes } from "./bytes.ts"
import { type InodeSource, StoredDirectory } from "./directory.ts"
import { prepareQuery } from "./query.ts"
import type { Transaction } from "./transaction.ts"
import type { Underlay } from "./underlay.ts"

/** Inodes kept in memory, about 300 bytes each. */
const cachedMax = 1 << 17

const columns = [
  "mode",
  "nlink",
  "uid",
  "gid",
  "rdev",
  "size",
  "blocks",
  "atime",
  "atimeNsec",
  "mtime",
  "mtimeNsec",
  "ctime",
  "ctimeNsec",
  "btime",
  "btimeNsec",
  "data",
  "parent",
  "target"
]

type Row = readonly [
  mode: bigint,
  nlink: bigint,
  uid: bigint,
  gid: bigint,
  rdev: bigint,
  size: bigint,
  blocks: bigint,
  atime: bigint,
  atimeNsec: bigint,
  mtime: bigint,
  mtimeNsec: bigint,
  ctime: bigint,
  ctimeNsec: bigint,
  btime: bigint,
  btimeNsec: bigint,
  data: bigint | null,
  parent: bigint | null,
  target: Uint8Array | null
]

export interface InodeSettings {
  readonly entryValid: Timespec
  readonly attrValid: Timespec
  /** What an inode holds, of the type that its mode says. */
  readonly bytes: (ino: number, data: number, blocks: number) => StoredBytes
  readonly directory: (ino: number, parent: number) => StoredDirectory
  /** What the store lies over, if anything. */
  readonly underlay: () => Pick<Underlay, "inode" | "isChanged" | "takeRow" | "removed"> | undefined
}

const time = (sec: bigint, nsec: bigint): Timespec => ({ sec: normal(sec), nsec: Number(nsec) })

const contentOf = (
  ino: number,
  mode: number,
  [, , , , , , blocks, , , , , , , , , data, parent, target]: Row,
  settings: InodeSettings
): Content => {
  if (target !== null) return nameFromBytes(target)
  if (parent !== null) return settings.directory(ino, Number(parent))
  return (mode & S_IFMT) === S_IFLNK || data === null
    ? undefined
    : settings.bytes(ino, Number(data), Number(blocks) / 8)
}

/** A row's columns in order, and its key. */
const valuesOf = (inode: Inode): Array<SQLInputValue> => {
  const { atime, btime, content, ctime, mtime } = inode
  return [
    inode.mode,
    inode.nlink,
    inode.uid,
    inode.gid,
    inode.rdev,
    inode.size,
    inode.blocks,
    atime.sec,
    atime.nsec,
    mtime.sec,
    mtime.nsec,
    ctime.sec,
    ctime.nsec,
    btime.sec,
    btime.nsec,
    content instanceof StoredBytes ? content.id : null,
    content instanceof StoredDirectory ? content.parentIno : null,
    typeof content === "string" || content instanceof Uint8Array ? nameToBytes(content) : null,
    inode.ino
  ]
}

export const makeInodeStore = (db: DatabaseSync, transaction: Transaction, settings: InodeSettings) => {
  const select = prepareQuery<Row>(db, `SELECT ${columns.join(", ")} FROM inode WHERE ino = ?`, true)
  const insert = db.prepare(`INSERT INTO inode (${columns.join(", ")}, ino) VALUES (${"?, ".repeat(columns.length)}?)`)
  const update = db.prepare(`UPDATE inode SET ${columns.map((column) => `${column} = ?`).join(", ")} WHERE ino = ?`)
  const remove = db.prepare("DELETE FROM inode WHERE ino = ?")
  const removeXattrs = db.prepare("DELETE FROM xattr WHERE ino = ?")
  const orphans = prepareQuery<[ino: number]>(db, "SELECT ino FROM inode INDEXED BY orphan WHERE nlink = 0")

  const cache = new Map<number, Inode>()
  const dirty = new Set<Inode>()
  /** Made since the last commit: they have no row yet. */
  const fresh = new Set<Inode>()
  /** What the operation under way has found, if it is one that changes what it finds. */
  let found: Array<Inode> | undefined

  const load = (ino: number): Inode | undefined => {
    const row = select.get(ino)
    if (row === undefined) return undefined
    const [
      mode,
      nlink,
      uid,
      gid,
      rdev,
      size,
      blocks,
      atime,
      atimeNsec,
      mtime,
      mtimeNsec,
      ctime,
      ctimeNsec,
      btime,
      btimeNsec
    ] = row
    const inode = new Inode(
      ino,
      0,
      Number(mode),
      Number(uid),
      Number(gid),
      Number(rdev),
      time(btime, btimeNsec),
      settings.entryValid,
      settings.attrValid
    )
    inode.nlink = Number(nlink)
    inode.size = normal(size)
    inode.blocks = Number(blocks)
    inode.atime = time(atime, atimeNsec)
    inode.mtime = time(mtime, mtimeNsec)
    inode.ctime = time(ctime, ctimeNsec)
    inode.content = contentOf(ino, inode.mode, row, settings)
    // An earlier server may have told the kernel of it.
    inode.known = true
    cache.set(ino, inode)
    return inode
  }

  const peek = (nodeid: U64): Inode | undefined => {
    if (typeof nodeid !== "number") return undefined
    return cache.get(nodeid) ?? settings.underlay()?.inode(nodeid) ?? load(nodeid)
  }

  const add = (inode: Inode): void => {
    cache.set(inode.ino, inode)
    fresh.add(inode)
    dirty.add(inode)
  }

  /** Has an inode that the operation under way has found stored anew; one that lies below gets a row, if it was changed. */
  const settleOne = (inode: Inode): void => {
    if (cache.get(inode.ino) === inode) dirty.add(inode)
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
    changed: (inode: Inode): void => {
      if (cache.has(inode.ino)) dirty.add(inode)
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
      dirty.delete(inode)
      transaction.begin()
      if (!fresh.delete(inode)) remove.run(inode.ino)
      if (inode.xattrs === undefined || inode.xattrs.size > 0) removeXattrs.run(inode.ino)
      settings.underlay()?.removed(inode.ino)
    },
    isDirty: (): boolean => dirty.size > 0,
    flush: (): void => {
      if (dirty.size === 0) return
      // Rows of inodes that are changed together often share a page.
      transaction.begin(1 + (dirty.size >>> 2))
      for (const inode of dirty) {
        if (fresh.has(inode)) insert.run(...valuesOf(inode))
        else update.run(...valuesOf(inode))
      }
    },
    /** After a commit: everything is stored, so some can be let go. */
    committed: (): void => {
      dirty.clear()
      fresh.clear()
      if (cache.size <= cachedMax) return
      for (const ino of cache.keys()) {
        cache.delete(ino)
        if (cache.size <= cachedMax * 0.9) return
      }
    },
    /** After a rollback: nothing of what is in memory is known to be stored. */
    clear: (): void => {
      cache.clear()
      dirty.clear()
      fresh.clear()
    },
    /** Inodes without a name, as stored. */
    orphans: (): ReadonlyArray<number> => orphans.all().map(([ino]) => ino)
  }
}

export type InodeStore = ReturnType<typeof makeInodeStore>
