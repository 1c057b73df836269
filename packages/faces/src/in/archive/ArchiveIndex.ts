/**
 * The tree of an archive, in columns of numbers and one buffer of names: about 80 bytes an entry and its name. An object for
 * each entry would be five times as much.
 */
import { fileType } from "@bickford/backends"
import { statMode } from "@bickford/protocol"

/** What an archive says of an entry. */
export interface ArchiveEntry {
  /** Type and permissions. */
  readonly mode: number
  /** Seconds since the epoch. */
  readonly mtime: number
  readonly size: number
  /** Where it lies in the archive: to the reader's liking. */
  readonly place: number
  /** Bytes that it takes there. */
  readonly stored: number
  readonly crc: number
  /** How it is stored: to the reader's liking. */
  readonly method: number
  /** A symbolic link's target, where the archive has it beside the name. */
  readonly target?: string
}

const { S_IFDIR, S_IFMT } = statMode
const none = 0xffff_ffff

/** Copies a column into one of twice the length. */
const grown = <A extends Uint32Array | Float64Array | Uint16Array>(column: A, make: (length: number) => A): A => {
  const longer = make(column.length * 2)
  longer.set(column)
  return longer
}

const hashOf = (parent: number, name: Uint8Array): number => {
  let hash = (0x811c9dc5 ^ parent) >>> 0
  for (const byte of name) hash = Math.imul(hash ^ byte, 0x0100_0193) >>> 0
  return hash
}

/** Entries by number; 0 is the root. */
export class ArchiveIndex {
  #count = 0
  #parent = new Uint32Array(64)
  #nameAt = new Uint32Array(64)
  #nameLength = new Uint16Array(64)
  #mode = new Uint32Array(64)
  #crc = new Uint32Array(64)
  #method = new Uint16Array(64)
  #mtime = new Float64Array(64)
  #size = new Float64Array(64)
  #place = new Float64Array(64)
  #stored = new Float64Array(64)
  #firstChild = new Uint32Array(64)
  #lastChild = new Uint32Array(64)
  #nextSibling = new Uint32Array(64)
  #names = Buffer.alloc(4096)
  #namesEnd = 0
  /** Entry numbers by the hash of directory and name, with open addressing. */
  #table = new Uint32Array(256).fill(none)
  /** Targets of links; few have one. */
  readonly #targets = new Map<number, string>()
  /** The directory that was entered into last. A directory stays one, so this stays right. */
  #lastPath = ""
  #lastDirectory = 0

  constructor(mtime: number) {
    this.#add(none, Buffer.alloc(0), { mode: S_IFDIR | 0o755, mtime, size: 0, place: 0, stored: 0, crc: 0, method: 0 })
  }

  get count(): number {
    return this.#count
  }

  /**
   * Enters what an archive has under a path, and the directories above where they are missing; what comes later counts. False
   * for a path that leads out of the archive or through a file.
   */
  enter(path: string, entry: ArchiveEntry): boolean {
    const slash = path.lastIndexOf("/")
    // Archives list a directory's files one after the other: its path is not walked again for each.
    if (slash > 0 && slash < path.length - 1 && path.startsWith(this.#lastPath) && slash === this.#lastPath.length) {
      const name = path.slice(slash + 1)
      if (name !== "." && name !== ".." && !name.includes("\0"))
        return this.#enterIn(this.#lastDirectory, Buffer.from(name), entry)
    }
    const entered = this.#enterPath(path, entry)
    const directory = entered && slash > 0 ? this.at(path.slice(0, slash)) : undefined
    if (directory !== undefined && this.isDirectory(directory)) {
      this.#lastPath = path.slice(0, slash)
      this.#lastDirectory = directory
    }
    return entered
  }

  /** Enters a name in a directory that is there. */
  #enterIn(directory: number, name: Buffer, entry: ArchiveEntry): boolean {
    if (name.length > 255) return false
    const known = this.find(directory, name)
    if (known !== undefined) return this.#replace(known, entry)
    const at = this.#add(directory, name, entry)
    if (entry.target !== undefined) this.#targets.set(at, entry.target)
    return true
  }

  #enterPath(path: string, entry: ArchiveEntry): boolean {
    const names = path.split("/").filter((name) => name !== "" && name !== ".")
    if (names.includes("..") || path.includes("\0")) return false
    let at = 0
    for (const [index, name] of names.entries()) {
      const bytes = Buffer.from(name)
      if (bytes.length > 255) return false
      const last = index === names.length - 1
      const known = this.find(at, bytes)
      if (known !== undefined) {
        if (last) return this.#replace(known, entry)
        if (!this.isDirectory(known)) return false
        at = known
      } else {
        const directory = { ...entry, mode: fileType.dir | 0o755, size: 0, place: 0, stored: 0, crc: 0 }
        at = this.#add(at, bytes, last ? entry : directory)
        if (last && entry.target !== undefined) this.#targets.set(at, entry.target)
      }
    }
    if (names.length === 0) this.#replace(0, entry)
    return true
  }

  /** The entry of a name in a directory. */
  find(parent: number, name: Uint8Array): number | undefined {
    const mask = this.#table.length - 1
    for (let slot = hashOf(parent, name) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#table[slot] ?? none
      if (entry === none) return undefined
      if (this.#parent[entry] === parent && this.#nameBytes(entry).equals(name)) return entry
    }
  }

  /** The entry at a path. */
  at(path: string): number | undefined {
    let at: number | undefined = 0
    for (const name of path.split("/")) {
      if (name === "" || name === ".") continue
      at = at === undefined ? undefined : this.find(at, Buffer.from(name))
    }
    return at
  }

  /** The entries of a directory in their order, from the one after `after` on; all without it. */
  *children(directory: number, after?: number): Generator<number, void, undefined> {
    const first = after === undefined ? this.#firstChild[directory] : this.#nextSibling[after]
    for (let at = first ?? none; at !== none; at = this.#nextSibling[at] ?? none) yield at
  }

  name(entry: number): string {
    return this.#nameBytes(entry).toString()
  }

  /** The path of an entry in the archive, for people. */
  path(entry: number): string {
    const parent = this.#parent[entry] ?? none
    if (entry === 0 || parent === none) return "/"
    return parent === 0 ? this.name(entry) : `${this.path(parent)}/${this.name(entry)}`
  }

  parent(entry: number): number {
    return entry === 0 ? 0 : (this.#parent[entry] ?? 0)
  }

  isDirectory(entry: number): boolean {
    return (this.mode(entry) & S_IFMT) === S_IFDIR
  }

  mode(entry: number): number {
    return this.#mode[entry] ?? 0
  }

  get(entry: number): ArchiveEntry {
    const target = this.#targets.get(entry)
    return {
      mode: this.#mode[entry] ?? 0,
      mtime: this.#mtime[entry] ?? 0,
      size: this.#size[entry] ?? 0,
      place: this.#place[entry] ?? 0,
      stored: this.#stored[entry] ?? 0,
      crc: this.#crc[entry] ?? 0,
      method: this.#method[entry] ?? 0,
      ...(target !== undefined && { target })
    }
  }

  #nameBytes(entry: number): Buffer {
    const start = this.#nameAt[entry] ?? 0
    return this.#names.subarray(start, start + (this.#nameLength[entry] ?? 0))
  }

  #set(at: number, entry: ArchiveEntry): void {
    this.#mode[at] = entry.mode
    this.#mtime[at] = entry.mtime
    this.#size[at] = entry.size
    this.#place[at] = entry.place
    this.#stored[at] = entry.stored
    this.#crc[at] = entry.crc
    this.#method[at] = entry.method
  }

  /** A directory stays one: entries may lie in it. */
  #replace(at: number, entry: ArchiveEntry): boolean {
    if (this.isDirectory(at) !== ((entry.mode & S_IFMT) === S_IFDIR)) return false
    this.#set(at, entry)
    if (entry.target === undefined) this.#targets.delete(at)
    else this.#targets.set(at, entry.target)
    return true
  }

  #add(parent: number, name: Buffer, entry: ArchiveEntry): number {
    const at = this.#count++
    if (at === this.#parent.length) this.#grow()
    while (this.#namesEnd + name.length > this.#names.length)
      this.#names = Buffer.concat([this.#names], this.#names.length * 2)
    this.#names.set(name, this.#namesEnd)
    this.#nameAt[at] = this.#namesEnd
    this.#nameLength[at] = name.length
    this.#namesEnd += name.length
    this.#parent[at] = parent
    this.#firstChild[at] = this.#lastChild[at] = this.#nextSibling[at] = none
    this.#set(at, entry)
    if (parent === none) return at
    const last = this.#lastChild[parent] ?? none
    if (last === none) this.#firstChild[parent] = at
    else this.#nextSibling[last] = at
    this.#lastChild[parent] = at
    if (this.#count * 2 > this.#table.length) this.#rehash()
    else this.#hash(at)
    return at
  }

  #hash(entry: number): void {
    const mask = this.#table.length - 1
    let slot = hashOf(this.#parent[entry] ?? none, this.#nameBytes(entry)) & mask
    while (this.#table[slot] !== none) slot = (slot + 1) & mask
    this.#table[slot] = entry
  }

  #rehash(): void {
    this.#table = new Uint32Array(this.#table.length * 2).fill(none)
    for (let entry = 1; entry < this.#count; entry++) this.#hash(entry)
  }

  #grow(): void {
    const words = (length: number): Uint32Array<ArrayBuffer> => new Uint32Array(length)
    const halves = (length: number): Uint16Array<ArrayBuffer> => new Uint16Array(length)
    const doubles = (length: number): Float64Array<ArrayBuffer> => new Float64Array(length)
    this.#parent = grown(this.#parent, words)
    this.#nameAt = grown(this.#nameAt, words)
    this.#nameLength = grown(this.#nameLength, halves)
    this.#mode = grown(this.#mode, words)
    this.#crc = grown(this.#crc, words)
    this.#method = grown(this.#method, halves)
    this.#mtime = grown(this.#mtime, doubles)
    this.#size = grown(this.#size, doubles)
    this.#place = grown(this.#place, doubles)
    this.#stored = grown(this.#stored, doubles)
    this.#firstChild = grown(this.#firstChild, words)
    this.#lastChild = grown(this.#lastChild, words)
    this.#nextSibling = grown(this.#nextSibling, words)
  }
}
