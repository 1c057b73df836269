/** Attributes as Node shows them: `fs.Stats`, `fs.BigIntStats`, `fs.Dirent`, `fs.StatFs`. */
import { type Attr, type Statfs, statMode, type Timespec } from "@bickford/protocol"

const { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } = statMode

/** The questions about a type that `Stats` and `Dirent` answer. */
abstract class Typed {
  /** The type's bits of a mode (S_IF*). */
  protected abstract typeOf(): number
  /** As `node:fs` has it. */
  isFile(): boolean {
    return this.typeOf() === S_IFREG
  }
  /** As `node:fs` has it. */
  isDirectory(): boolean {
    return this.typeOf() === S_IFDIR
  }
  /** As `node:fs` has it. */
  isSymbolicLink(): boolean {
    return this.typeOf() === S_IFLNK
  }
  /** As `node:fs` has it. */
  isBlockDevice(): boolean {
    return this.typeOf() === S_IFBLK
  }
  /** As `node:fs` has it. */
  isCharacterDevice(): boolean {
    return this.typeOf() === S_IFCHR
  }
  /** As `node:fs` has it. */
  isFIFO(): boolean {
    return this.typeOf() === S_IFIFO
  }
  /** As `node:fs` has it. */
  isSocket(): boolean {
    return this.typeOf() === S_IFSOCK
  }
}

const nanoseconds = ({ nsec, sec }: Timespec): bigint => BigInt(sec) * 1_000_000_000n + BigInt(nsec)
const milliseconds = ({ nsec, sec }: Timespec): number => Number(sec) * 1000 + nsec / 1e6
const dateOf = (time: Timespec): Date => new Date(Number(time.sec) * 1000 + Math.floor(time.nsec / 1e6))

/** What `Stats` shows in the same way, be its numbers exact or not. */
abstract class OfAttributes extends Typed {
  readonly #attr: Attr

  constructor(attr: Attr) {
    super()
    this.#attr = attr
  }

  /** What it was made of. */
  protected get attr(): Attr {
    return this.#attr
  }
  protected override typeOf(): number {
    return this.#attr.mode & S_IFMT
  }

  /** As `node:fs` has it. */
  get atime(): Date {
    return dateOf(this.#attr.atime)
  }
  /** As `node:fs` has it. */
  get mtime(): Date {
    return dateOf(this.#attr.mtime)
  }
  /** As `node:fs` has it. */
  get ctime(): Date {
    return dateOf(this.#attr.ctime)
  }
  /** As `node:fs` has it. */
  get birthtime(): Date {
    return this.ctime
  }
}

/** As `fs.Stats`. There is no time of birth: it is that of the last change. */
export class FaceStats extends OfAttributes {
  readonly dev = 0

  /** As `node:fs` has it. */
  get ino(): number {
    return Number(this.attr.ino)
  }
  /** As `node:fs` has it. */
  get mode(): number {
    return this.attr.mode
  }
  /** As `node:fs` has it. */
  get nlink(): number {
    return this.attr.nlink
  }
  /** As `node:fs` has it. */
  get uid(): number {
    return this.attr.uid
  }
  /** As `node:fs` has it. */
  get gid(): number {
    return this.attr.gid
  }
  /** As `node:fs` has it. */
  get rdev(): number {
    return this.attr.rdev
  }
  /** As `node:fs` has it. */
  get size(): number {
    return Number(this.attr.size)
  }
  /** As `node:fs` has it. */
  get blksize(): number {
    return this.attr.blksize
  }
  /** As `node:fs` has it. */
  get blocks(): number {
    return Number(this.attr.blocks)
  }
  /** As `node:fs` has it. */
  get atimeMs(): number {
    return milliseconds(this.attr.atime)
  }
  /** As `node:fs` has it. */
  get mtimeMs(): number {
    return milliseconds(this.attr.mtime)
  }
  /** As `node:fs` has it. */
  get ctimeMs(): number {
    return milliseconds(this.attr.ctime)
  }
  /** As `node:fs` has it. */
  get birthtimeMs(): number {
    return this.ctimeMs
  }
}

/** As `fs.BigIntStats`: exact. */
export class FaceBigIntStats extends OfAttributes {
  readonly dev = 0n

  /** As `node:fs` has it. */
  get ino(): bigint {
    return BigInt(this.attr.ino)
  }
  /** As `node:fs` has it. */
  get mode(): bigint {
    return BigInt(this.attr.mode)
  }
  /** As `node:fs` has it. */
  get nlink(): bigint {
    return BigInt(this.attr.nlink)
  }
  /** As `node:fs` has it. */
  get uid(): bigint {
    return BigInt(this.attr.uid)
  }
  /** As `node:fs` has it. */
  get gid(): bigint {
    return BigInt(this.attr.gid)
  }
  /** As `node:fs` has it. */
  get rdev(): bigint {
    return BigInt(this.attr.rdev)
  }
  /** As `node:fs` has it. */
  get size(): bigint {
    return BigInt(this.attr.size)
  }
  /** As `node:fs` has it. */
  get blksize(): bigint {
    return BigInt(this.attr.blksize)
  }
  /** As `node:fs` has it. */
  get blocks(): bigint {
    return BigInt(this.attr.blocks)
  }
  /** As `node:fs` has it. */
  get atimeNs(): bigint {
    return nanoseconds(this.attr.atime)
  }
  /** As `node:fs` has it. */
  get mtimeNs(): bigint {
    return nanoseconds(this.attr.mtime)
  }
  /** As `node:fs` has it. */
  get ctimeNs(): bigint {
    return nanoseconds(this.attr.ctime)
  }
  /** As `node:fs` has it. */
  get birthtimeNs(): bigint {
    return this.ctimeNs
  }
  /** As `node:fs` has it. */
  get atimeMs(): bigint {
    return this.atimeNs / 1_000_000n
  }
  /** As `node:fs` has it. */
  get mtimeMs(): bigint {
    return this.mtimeNs / 1_000_000n
  }
  /** As `node:fs` has it. */
  get ctimeMs(): bigint {
    return this.ctimeNs / 1_000_000n
  }
  /** As `node:fs` has it. */
  get birthtimeMs(): bigint {
    return this.ctimeMs
  }
}

/** As `fs.Dirent`. */
export class FaceDirent extends Typed {
  readonly name: string
  readonly parentPath: string
  readonly #type: number

  /** `type` is DT_*, which are the bits of a mode moved down. */
  constructor(name: string, parentPath: string, type: number) {
    super()
    this.name = name
    this.parentPath = parentPath
    this.#type = type << 12
  }

  protected override typeOf(): number {
    return this.#type
  }
}

/** As `fs.StatFs`. */
export interface FaceStatfs {
  readonly type: number
  readonly bsize: number
  /** As `node:fs` has it. */
  readonly blocks: number
  readonly bfree: number
  readonly bavail: number
  readonly files: number
  readonly ffree: number
}

/** FUSE_SUPER_MAGIC, which a mount of the same filesystem shows. */
const fuseMagic = 0x65735546

/** Usage as Node shows it. */
export const statfsOf = ({ bavail, bfree, blocks, bsize, ffree, files }: Statfs): FaceStatfs => ({
  type: fuseMagic,
  bsize,
  /** As `node:fs` has it. */
  blocks: Number(blocks),
  bfree: Number(bfree),
  bavail: Number(bavail),
  files: Number(files),
  ffree: Number(ffree)
})
