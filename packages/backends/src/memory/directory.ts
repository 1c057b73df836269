/**
 * The entries of a directory: found by name, listed by cookie.
 *
 * A cookie is given to an entry when it comes and stays the entry's through renames in the directory. Cookies count
 * down and listings go up: what comes while somebody lists has a cookie that this listing has passed, so every
 * listing ends, whatever is made or renamed meanwhile, and entries that come and go neither repeat nor hide another.
 */
import { type Name, nameKey, ownName, type U64 } from "@bickford/protocol"
import { type Directory, dotDotOff, type Listed } from "../posix/filesystem.ts"
import type { Inode } from "../posix/inode.ts"

/** One entry. It is its own `Dirent`; `inode` is undefined once it has been removed. */
class DirectoryEntry implements Listed {
  readonly name: Name
  /** The entry's cookie: going on from here gives the entry after it. */
  readonly off: number
  inode: Inode | undefined

  constructor(name: Name, off: number, inode: Inode) {
    this.name = name
    this.off = off
    this.inode = inode
  }

  get ino(): number {
    return this.inode?.ino ?? 0
  }
  get type(): number {
    return (this.inode?.mode ?? 0) >>> 12
  }
  get entry(): Inode | undefined {
    return this.inode
  }
}

// V8's Map holds no more.
const entriesMax = 2 ** 24 - 1
/** The first entry's cookie: programs of 32 bits cannot go on from one past 2^31, and a table adds names of its own before. */
const firstOff = 2 ** 31 - 2 ** 16

/**
 * Up to so many entries a map is made anew when those that were removed go. V8 makes a map's table anew as entries
 * come and go, and each table that it gives up refers to the next: once one is old, all that follow are kept until the
 * whole heap is collected.
 */
const anewMax = 1024

export class MemoryDirectory implements Directory {
  parent: Inode
  #byKey = new Map<string, DirectoryEntry>()
  /** By cookie, the largest first, with removed entries in between until there are too many of them. */
  #order: Array<DirectoryEntry> = []
  #removed = 0
  #nextOff: number

  /** `nextOff`: the cookie of the first entry that comes. */
  constructor(parent: Inode, nextOff: number = firstOff) {
    this.parent = parent
    this.#nextOff = nextOff
  }

  get size(): number {
    return this.#byKey.size
  }
  get full(): boolean {
    return this.#byKey.size >= entriesMax
  }

  get empty(): boolean {
    return this.#byKey.size === 0
  }

  get(name: Name): Inode | undefined {
    return this.#byKey.get(nameKey(name))?.inode
  }

  add(name: Name, inode: Inode): void {
    if (this.#nextOff <= dotDotOff) this.#renumber()
    const entry = new DirectoryEntry(ownName(name), this.#nextOff--, inode)
    this.#byKey.set(nameKey(name), entry)
    this.#order.push(entry)
  }

  replace(name: Name, inode: Inode): void {
    const entry = this.#byKey.get(nameKey(name))
    if (entry !== undefined) entry.inode = inode
  }

  remove(name: Name): void {
    const key = nameKey(name)
    const entry = this.#byKey.get(key)
    if (entry === undefined) return
    this.#byKey.delete(key)
    entry.inode = undefined
    this.#removed++
    if (this.#removed > 32 && this.#removed * 2 > this.#order.length) {
      this.#order = this.#order.filter((kept) => kept.inode !== undefined)
      this.#removed = 0
      if (this.#order.length <= anewMax) this.#byKey = new Map(this.#byKey)
    }
  }

  rename(name: Name, newName: Name): void {
    const key = nameKey(name)
    const entry = this.#byKey.get(key)
    if (entry?.inode === undefined) return
    const renamed = new DirectoryEntry(ownName(newName), entry.off, entry.inode)
    this.#order[indexAtLeast(this.#order, entry.off)] = renamed
    this.#byKey.delete(key)
    this.#byKey.set(nameKey(newName), renamed)
  }

  *after(off: U64): Generator<DirectoryEntry, void, undefined> {
    let order = this.#order
    let last = Number(off)
    let position = indexAtLeast(order, last + 1)
    for (;;) {
      if (order !== this.#order) {
        order = this.#order
        position = indexAtLeast(order, last + 1)
      }
      const entry = order[position--]
      if (entry === undefined) return
      if (entry.inode === undefined) continue
      last = entry.off
      yield entry
    }
  }

  /** After so many entries that all cookies were given out once: a listing under way may miss some, or see some again. */
  #renumber(): void {
    const kept = this.#order.filter(({ inode }) => inode !== undefined)
    this.#order = []
    this.#byKey = new Map()
    this.#removed = 0
    this.#nextOff = firstOff
    for (const { inode, name } of kept) if (inode !== undefined) this.add(name, inode)
  }
}

/** Where the entry with the smallest cookie is that is `off` or larger; -1 when there is none. */
const indexAtLeast = (order: ReadonlyArray<DirectoryEntry>, off: number): number => {
  let from = 0
  let to = order.length
  while (from < to) {
    const middle = (from + to) >>> 1
    const entry = order[middle]
    if (entry !== undefined && entry.off >= off) from = middle + 1
    else to = middle
  }
  return from - 1
}
