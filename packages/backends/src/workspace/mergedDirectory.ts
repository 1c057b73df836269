/**
 * A directory of the base as the branch shows it: the names of the base, less those that were removed here, and those that
 * were made here. A row with inode 0 is a whiteout: the base's name is not there.
 *
 * Names of the base have cookies as stored names have, from their hash; none is given to two. So a listing goes on where
 * it was, whoever serves it, and whatever is made or removed meanwhile.
 */
import { type Name, nameFromBytes, nameKey, type U64 } from "@bickford/protocol"
import type { Listed } from "../posix/filesystem.ts"
import type { Inode } from "../posix/inode.ts"
import { type EntryStore, type InodeSource, StoredDirectory, StoredEntry } from "../sqlite/directory.ts"
import type { BaseNames, NamedBelow } from "./baseNames.ts"

const whiteout = 0

/** What a directory asks of the base. */
export interface DirectoryBelow {
  /** The number of what a name of the base is; undefined when it is none. */
  readonly find: (name: Name) => number | undefined
  /** Whether it has a name now, shown or not. */
  readonly has: (name: Name) => boolean
  /** Its names now; `again` when they were listed a moment ago, by the same listing. */
  readonly names: (again: boolean) => BaseNames
  /** Every name that has a row, by `nameKey`. */
  readonly rows: () => Set<string>
}

class ListedBelow implements Listed {
  readonly name: Name
  readonly off: number
  readonly ino: U64
  readonly type: number
  readonly #inode: () => Inode | undefined
  #found: Inode | undefined

  constructor({ cookie, ino, name, type }: NamedBelow, inode: () => Inode | undefined) {
    this.name = name
    this.off = cookie
    this.ino = ino
    this.type = type
    this.#inode = inode
  }

  get entry(): Inode | undefined {
    return (this.#found ??= this.#inode())
  }
}

export class MergedDirectory extends StoredDirectory {
  readonly #below: DirectoryBelow
  /** Every name that has a row, once a listing has needed it, or while there is none. */
  #rows: Set<string> | undefined
  #isKnownToHaveRows = false

  constructor(entries: EntryStore, inodes: InodeSource, ino: number, parentIno: number, below: DirectoryBelow) {
    super(entries, inodes, ino, parentIno)
    this.#below = below
  }

  override get empty(): boolean {
    if (this.entries.namesAny(this.ino)) return false
    const rows = (this.#rows ??= this.#below.rows())
    for (const { key } of this.#below.names(false).after(0)) if (!rows.has(key)) return false
    return true
  }

  override get(name: Name): Inode | undefined {
    const row = this.find(name)
    if (row === whiteout) return undefined
    if (row !== undefined) return super.get(name)
    const below = this.#below.find(name)
    return below === undefined ? undefined : this.inodes.get(below)
  }

  override add(name: Name, inode: Inode): void {
    if (this.find(name) === whiteout) super.replace(name, inode)
    else this.#insert(name, inode.ino, inode.mode >>> 12)
  }

  override replace(name: Name, inode: Inode): void {
    if (this.find(name) === undefined) this.#insert(name, inode.ino, inode.mode >>> 12)
    else super.replace(name, inode)
  }

  override remove(name: Name): void {
    // A name without a row is the base's.
    if (this.find(name) === undefined) this.#insert(name, whiteout, 0)
    else if (this.#below.has(name)) {
      this.entries.update(this.ino, name, whiteout, 0)
      this.know(nameKey(name), whiteout)
    } else {
      super.remove(name)
      this.#rows?.delete(nameKey(name))
    }
  }

  override *after(off: U64): Generator<Listed, void, undefined> {
    const names = this.#below.names(off !== 0)
    const rows = (this.#rows ??= this.#below.rows())
    const stored = this.#stored(Number(off))
    let next = stored.next()
    for (const below of names.after(Number(off))) {
      while (next.done !== true && next.value.off < below.cookie) {
        yield next.value
        next = stored.next()
      }
      if (rows.has(below.key)) continue
      yield new ListedBelow(below, () => this.#inodeBelow(below.name))
    }
    for (; next.done !== true; next = stored.next()) yield next.value
  }

  /** As that of a stored directory, without a query for a name that is known to have no row. */
  protected override find(name: Name): number | undefined {
    if (this.#rows === undefined && !this.#isKnownToHaveRows) {
      if (this.entries.isEmpty(this.ino)) this.#rows = new Set()
      else this.#isKnownToHaveRows = true
    }
    return this.#rows?.has(nameKey(name)) === false ? undefined : super.find(name)
  }

  #inodeBelow(name: Name): Inode | undefined {
    const ino = this.#below.find(name)
    return ino === undefined ? undefined : this.inodes.peek(ino)
  }

  #insert(name: Name, ino: number, type: number): void {
    const names = this.#below.names(true)
    const own = names.cookieOf(name)
    this.entries.insert(this.ino, name, ino, type, (cookie) =>
      own === undefined ? names.isTaken(cookie) : cookie !== own
    )
    this.know(nameKey(name), ino)
    this.#rows?.add(nameKey(name))
  }

  /** The stored names, without whiteouts. */
  *#stored(off: number): Generator<Listed, void, undefined> {
    for (let last = off; ;) {
      const rows = this.entries.page(this.ino, last)
      if (rows.length === 0) return
      for (const [cookie, ino, type, name] of rows) {
        last = cookie
        if (ino !== whiteout) yield new StoredEntry(nameFromBytes(name), cookie, ino, type, this.inodes)
      }
    }
  }
}
