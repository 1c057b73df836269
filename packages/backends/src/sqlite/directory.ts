/**
 * The entries of a directory, a row each. An entry's cookie comes from its name, so it is the same
 * whoever serves the store, and a listing goes on wherever it was.
 */
import { type Name, nameFromBytes, nameKey, nameToBytes, type U64 } from "@bickford/protocol"
import type { DatabaseSync } from "node:sqlite"
import type { Directory, Listed } from "../posix/filesystem.ts"
import type { Inode } from "../posix/inode.ts"
import { firstCookie, type HashKey, lastCookie } from "./names.ts"
import { prepareQuery } from "./query.ts"
import type { Transaction } from "./transaction.ts"

/** Names kept in memory, of all directories together; past that all are forgotten, and looked up again. */
const keptMax = 1 << 17

/** Rows that a listing takes at a time. */
const pageSize = 128

export const makeEntryStore = (db: DatabaseSync, transaction: Transaction, key: HashKey) => {
  const where = "WHERE parent = ? AND cookie BETWEEN ? AND ? AND name = ?"
  const find = prepareQuery<[ino: number]>(db, `SELECT ino FROM entry ${where}`)
  const above = prepareQuery<[parent: number]>(db, "SELECT parent FROM entry WHERE ino = ? LIMIT 1")
  const any = prepareQuery<[cookie: number]>(db, "SELECT cookie FROM entry WHERE parent = ? LIMIT 1")
  const named = prepareQuery<[cookie: number]>(db, "SELECT cookie FROM entry WHERE parent = ? AND ino <> 0 LIMIT 1")
  const page = prepareQuery<[cookie: number, ino: number, type: number, name: Uint8Array]>(
    db,
    `SELECT cookie, ino, type, name FROM entry WHERE parent = ? AND cookie > ? ORDER BY cookie LIMIT ${pageSize}`
  )
  const insert = db.prepare("INSERT OR IGNORE INTO entry (parent, cookie, ino, type, name) VALUES (?, ?, ?, ?, ?)")
  const update = db.prepare(`UPDATE entry SET ino = ?, type = ? ${where}`)
  const remove = db.prepare(`DELETE FROM entry ${where}`)
  let kept = 0
  const keepers = new Set<Map<string, number | undefined>>()
  return {
    /** One more name is to be kept in `names`. */
    keep: (names: Map<string, number | undefined>): void => {
      if (++kept > keptMax) {
        for (const other of keepers) other.clear()
        keepers.clear()
        kept = 1
      }
      keepers.add(names)
    },
    find: (parent: number, name: Name): number | undefined => {
      const bytes = nameToBytes(name)
      const first = firstCookie(bytes, key)
      return find.get(parent, first, lastCookie(first), bytes)?.[0]
    },
    /** A directory that names an inode. Looks through all names: there is no index for it. */
    parentOf: (ino: number): number | undefined => above.get(ino)?.[0],
    isEmpty: (parent: number): boolean => any.get(parent) === undefined,
    /** Whether a directory has a row that names an inode. */
    namesAny: (parent: number): boolean => named.get(parent) !== undefined,
    page: (parent: number, after: number) => page.all(parent, after),
    /** `taken` tells which cookies names have that are not in the store. */
    insert: (parent: number, name: Name, ino: number, type: number, taken?: (cookie: number) => boolean): void => {
      transaction.begin()
      const bytes = nameToBytes(name)
      const first = firstCookie(bytes, key)
      for (let cookie = first; cookie <= lastCookie(first); cookie++) {
        if (taken?.(cookie) !== true && insert.run(parent, cookie, ino, type, bytes).changes === 1) return
      }
      throw new Error("too many names of one directory have the same hash")
    },
    update: (parent: number, name: Name, ino: number, type: number): void => {
      transaction.begin()
      const bytes = nameToBytes(name)
      const first = firstCookie(bytes, key)
      update.run(ino, type, parent, first, lastCookie(first), bytes)
    },
    remove: (parent: number, name: Name): void => {
      transaction.begin()
      const bytes = nameToBytes(name)
      const first = firstCookie(bytes, key)
      remove.run(parent, first, lastCookie(first), bytes)
    }
  }
}

export type EntryStore = ReturnType<typeof makeEntryStore>

/** Where a directory finds the inodes that its entries name. */
export interface InodeSource {
  /** For a change: what is found is stored anew with it. */
  readonly get: (nodeid: U64) => Inode | undefined
  readonly peek: (nodeid: U64) => Inode | undefined
}

export class StoredEntry implements Listed {
  readonly name: Name
  readonly off: number
  readonly ino: number
  readonly type: number
  readonly #inodes: InodeSource

  constructor(name: Name, off: number, ino: number, type: number, inodes: InodeSource) {
    this.name = name
    this.off = off
    this.ino = ino
    this.type = type
    this.#inodes = inodes
  }

  get entry(): Inode | undefined {
    return this.#inodes.peek(this.ino)
  }
}

export class StoredDirectory implements Directory {
  /** The node id of the directory above, or of itself for the root. */
  parentIno: number
  protected readonly ino: number
  protected readonly entries: EntryStore
  protected readonly inodes: InodeSource
  /** By `nameKey`: the inode that a name is known to have, or that it is known to have none. */
  readonly #known = new Map<string, number | undefined>()

  constructor(entries: EntryStore, inodes: InodeSource, ino: number, parentIno: number) {
    this.entries = entries
    this.inodes = inodes
    this.ino = ino
    this.parentIno = parentIno
  }

  get parent(): Inode {
    const inode = this.inodes.peek(this.parentIno)
    if (inode === undefined) throw new Error(`directory ${this.ino} lies in ${this.parentIno}, which is not there`)
    return inode
  }
  set parent(inode: Inode) {
    this.parentIno = inode.ino
  }

  get empty(): boolean {
    return this.entries.isEmpty(this.ino)
  }
  get full(): boolean {
    return false
  }

  get(name: Name): Inode | undefined {
    const ino = this.find(name)
    if (ino === undefined) return undefined
    const inode = this.inodes.get(ino)
    if (inode === undefined) throw new Error(`directory ${this.ino} names inode ${ino}, which is not there`)
    return inode
  }

  add(name: Name, inode: Inode): void {
    this.entries.insert(this.ino, name, inode.ino, inode.mode >>> 12)
    this.know(nameKey(name), inode.ino)
  }

  replace(name: Name, inode: Inode): void {
    this.entries.update(this.ino, name, inode.ino, inode.mode >>> 12)
    this.know(nameKey(name), inode.ino)
  }

  remove(name: Name): void {
    this.entries.remove(this.ino, name)
    this.#known.delete(nameKey(name))
  }

  rename(name: Name, newName: Name): void {
    const inode = this.get(name)
    if (inode === undefined) return
    this.remove(name)
    this.add(newName, inode)
  }

  protected find(name: Name): number | undefined {
    const key = nameKey(name)
    const ino = this.#known.get(key)
    if (ino !== undefined || this.#known.has(key)) return ino
    const found = this.entries.find(this.ino, name)
    this.know(key, found)
    return found
  }

  protected know(key: string, ino: number | undefined): void {
    if (!this.#known.has(key)) this.entries.keep(this.#known)
    this.#known.set(key, ino)
  }

  *after(off: U64): Generator<Listed, void, undefined> {
    for (let last = Number(off); ;) {
      const rows = this.entries.page(this.ino, last)
      for (const [cookie, ino, type, name] of rows) {
        last = cookie
        yield new StoredEntry(nameFromBytes(name), cookie, ino, type, this.inodes)
      }
      if (rows.length < pageSize) return
    }
  }
}
