/**
 * The entries of a directory, as much of them as is in memory: names that were asked for, whether they are there or not,
 * and a range of cookies of which every entry is known. An entry's cookie comes from its name, so that it is the same
 * whoever serves the store.
 */
import { type Name, nameKey, nameToBytes, ownName, type U64 } from "@bickford/protocol"
import type { Directory, Listed } from "../posix/filesystem.ts"
import type { Inode } from "../posix/inode.ts"
import { firstCookie, type HashKey, lastCookie } from "../sqlite/names.ts"
import { RowFault } from "./rowFault.ts"

/** A name of a directory. */
export interface Entry {
  readonly name: Name
  readonly cookie: number
  readonly ino: number
  /** The type of its inode, as in `mode >>> 12`. */
  readonly type: number
}

/** What directories need of the store that they lie in. */
export interface DirectoryParts {
  readonly key: HashKey
  /** For a change: the operation may change what is found. */
  readonly get: (ino: number) => Inode | undefined
  readonly peek: (ino: number) => Inode | undefined
  /** The inode if it is in memory, or known not to be there. */
  readonly inMemory: (ino: number) => { readonly inode: Inode | undefined } | undefined
  /** A directory is about to be changed. Throws a RowFault when it may not be. */
  readonly changing: (ino: number) => void
  /** The entry at a cookie is to be stored as it is now; undefined: it goes. */
  readonly changed: (parent: number, cookie: number, entry: Entry | undefined) => void
  /** A directory lies in another one from now on. */
  readonly moved: (ino: number) => void
  /** Something was changed in memory, and is changed back by `undo`. */
  readonly note: (undo: () => void) => void
  /** One more name is kept in memory. */
  readonly kept: (directory: StoredDirectory) => void
  /** Whether the listing at hand shows attributes. */
  readonly listsInodes: () => boolean
}

/** Inodes that a listing asks for at a time. */
const inodesAtOnce = 512

export class StoredDirectory implements Directory {
  readonly ino: number
  readonly #parts: DirectoryParts
  #parentIno: number
  /** By `nameKey`: the entry that a name has, or that it is known to have none. */
  readonly #names = new Map<string, Entry | undefined>()
  /** The cookies of the entries in `#names`, ascending. */
  #cookies: Array<number> = []
  readonly #byCookie = new Map<number, Entry>()
  /** Every entry is known whose cookie lies above the first and not above the second. */
  #knownAfter = 0
  #knownThrough = 0

  constructor(parts: DirectoryParts, ino: number, parentIno: number) {
    this.#parts = parts
    this.ino = ino
    this.#parentIno = parentIno
  }

  get parentIno(): number {
    return this.#parentIno
  }
  get parent(): Inode {
    const inode = this.#parts.peek(this.#parentIno)
    if (inode === undefined) throw new Error(`directory ${this.ino} lies in ${this.#parentIno}, which is not there`)
    return inode
  }
  set parent(inode: Inode) {
    this.#parts.changing(this.ino)
    const before = this.#parentIno
    this.#parts.note(() => (this.#parentIno = before))
    this.#parentIno = inode.ino
    this.#parts.moved(this.ino)
  }

  get empty(): boolean {
    if (this.#cookies.length > 0) return false
    if (this.#knownAfter === 0 && this.#knownThrough === Infinity) return true
    throw new RowFault({ kind: "page", parent: this.ino, after: 0, withInodes: false })
  }
  get full(): boolean {
    return false
  }

  get(name: Name): Inode | undefined {
    const entry = this.#find(name)
    if (entry === undefined) return undefined
    const inode = this.#parts.get(entry.ino)
    if (inode === undefined) throw new Error(`directory ${this.ino} names inode ${entry.ino}, which is not there`)
    return inode
  }

  add(name: Name, inode: Inode): void {
    const first = firstCookie(nameToBytes(name), this.#parts.key)
    for (let cookie = first; cookie <= lastCookie(first); cookie++) {
      if (this.#byCookie.has(cookie)) continue
      this.#put({ name: ownName(name), cookie, ino: inode.ino, type: inode.mode >>> 12 })
      return
    }
    throw new Error("too many names of one directory have the same hash")
  }

  replace(name: Name, inode: Inode): void {
    const before = this.#found(name)
    this.#put({ ...before, ino: inode.ino, type: inode.mode >>> 12 })
  }

  remove(name: Name): void {
    const before = this.#found(name)
    this.#parts.changing(this.ino)
    this.#unset(before)
    this.#names.set(nameKey(name), undefined)
    this.#parts.changed(this.ino, before.cookie, undefined)
    this.#parts.note(() => this.#set(before))
  }

  rename(name: Name, newName: Name): void {
    const inode = this.get(name)
    if (inode === undefined) return
    this.remove(name)
    this.add(newName, inode)
  }

  /** The entries that are known after a cookie, up to where the next page is to be loaded. */
  *after(off: U64): Generator<Listed, void, undefined> {
    const withInodes = this.#parts.listsInodes()
    const after = Number(off)
    if (after < this.#knownAfter || after >= this.#knownThrough)
      throw new RowFault({ kind: "page", parent: this.ino, after, withInodes })
    let at = this.#indexAfter(after)
    if (withInodes) this.#needInodes(at)
    for (; at < this.#cookies.length; at++) {
      const cookie = this.#cookies[at] ?? Infinity
      if (cookie > this.#knownThrough) return
      const entry = this.#byCookie.get(cookie)
      if (entry === undefined) continue
      const found = withInodes ? this.#parts.inMemory(entry.ino) : { inode: undefined }
      // The kernel asks for the rest.
      if (found === undefined) return
      yield { name: entry.name, off: cookie, ino: entry.ino, type: entry.type, entry: found.inode }
    }
  }

  /** It was just made: it has no entries. */
  isNew(): void {
    this.#knownAfter = 0
    this.#knownThrough = Infinity
  }

  /** What was loaded of the cookies that a name can have: what memory knows is right, and stays. */
  loadedName(name: Name, entries: ReadonlyArray<Entry>): void {
    for (const entry of entries) this.#learn(entry)
    if (!this.#names.has(nameKey(name))) this.#remember(nameKey(name), undefined)
  }

  /** What was loaded of the cookies after one, through another: what memory knows is right, and stays. */
  loadedPage(after: number, through: number, entries: ReadonlyArray<Entry>): void {
    for (const entry of entries) this.#learn(entry)
    const touches = after >= this.#knownAfter && after <= this.#knownThrough
    if (!touches) this.#knownAfter = after
    this.#knownThrough = touches ? Math.max(this.#knownThrough, through) : through
  }

  /** Drops all that is in memory of it. */
  forget(): void {
    this.#names.clear()
    this.#byCookie.clear()
    this.#cookies = []
    this.#knownAfter = 0
    this.#knownThrough = 0
  }

  /** Throws a RowFault for the inodes of the entries from an index on, when some are not in memory. */
  #needInodes(from: number): void {
    const inos: Array<number> = []
    const end = Math.min(this.#cookies.length, from + inodesAtOnce)
    for (let at = from; at < end; at++) {
      const cookie = this.#cookies[at] ?? Infinity
      const entry = this.#byCookie.get(cookie)
      if (cookie <= this.#knownThrough && entry !== undefined && this.#parts.inMemory(entry.ino) === undefined)
        inos.push(entry.ino)
    }
    if (inos.length > 0) throw new RowFault({ kind: "inodes", inos })
  }

  #find(name: Name): Entry | undefined {
    const key = nameKey(name)
    const entry = this.#names.get(key)
    if (entry !== undefined || this.#names.has(key)) return entry
    const first = firstCookie(nameToBytes(name), this.#parts.key)
    if (first > this.#knownAfter && lastCookie(first) <= this.#knownThrough) return undefined
    throw new RowFault({ kind: "name", parent: this.ino, name: ownName(name) })
  }

  #found(name: Name): Entry {
    const entry = this.#find(name)
    if (entry === undefined) throw new Error(`directory ${this.ino} does not have the name`)
    return entry
  }

  /** Sets an entry, which is to be stored. */
  #put(entry: Entry): void {
    this.#parts.changing(this.ino)
    const before = this.#names.get(nameKey(entry.name))
    this.#set(entry)
    this.#parts.changed(this.ino, entry.cookie, entry)
    this.#parts.note(() => {
      this.#unset(entry)
      if (before === undefined) this.#names.set(nameKey(entry.name), undefined)
      else this.#set(before)
    })
  }

  #learn(entry: Entry): void {
    const key = nameKey(entry.name)
    const known = entry.cookie > this.#knownAfter && entry.cookie <= this.#knownThrough
    if (!known && !this.#names.has(key) && !this.#byCookie.has(entry.cookie)) this.#set(entry)
  }

  #remember(key: string, entry: Entry | undefined): void {
    if (!this.#names.has(key)) this.#parts.kept(this)
    this.#names.set(key, entry)
  }

  #set(entry: Entry): void {
    this.#remember(nameKey(entry.name), entry)
    if (!this.#byCookie.has(entry.cookie)) this.#cookies.splice(this.#indexAfter(entry.cookie), 0, entry.cookie)
    this.#byCookie.set(entry.cookie, entry)
  }

  #unset({ cookie }: Entry): void {
    if (!this.#byCookie.delete(cookie)) return
    this.#cookies.splice(this.#indexAfter(cookie - 1), 1)
  }

  /** The index of the first cookie above `cookie`. */
  #indexAfter(cookie: number): number {
    let from = 0
    let to = this.#cookies.length
    while (from < to) {
      const middle = (from + to) >>> 1
      if ((this.#cookies[middle] ?? Infinity) <= cookie) from = middle + 1
      else to = middle
    }
    return from
  }
}
