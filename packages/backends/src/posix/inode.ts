import type { Attr, DirentPlus, Entry, Name, Timespec, U64 } from "@bickford/protocol"
import * as Exit from "effect/Exit"
import type { Bytes } from "./bytes.ts"
import { S_IFDIR, S_IFMT, S_IFREG } from "./linux.ts"
import type { Xattrs } from "./xattr.ts"

/** One entry as a listing gives it; `entry` is undefined once it has been removed. */
export interface Listed extends DirentPlus {
  readonly entry: Inode | undefined
}

/** The entries of a directory: found by name, listed by cookie. */
export interface Directory {
  parent: Inode
  readonly empty: boolean
  /** It holds as many entries as it can. */
  readonly full: boolean
  readonly get: (name: Name) => Inode | undefined
  /** The name is not there yet. It is copied. */
  readonly add: (name: Name, inode: Inode) => void
  /** The name is there, and names another inode from now on. */
  readonly replace: (name: Name, inode: Inode) => void
  /** The first name is there, the second is not: the entry has that from now on, and keeps its cookie where that can be. */
  readonly rename: (name: Name, newName: Name) => void
  readonly remove: (name: Name) => void
  /**
   * Entries whose cookie is larger than `off`. An entry's cookie never changes, so entries that come and
   * go meanwhile neither repeat nor hide another. The directory may change between two steps.
   */
  readonly after: (off: U64) => Iterable<Listed>
}

/** What a directory, a regular file that has bytes, and a symlink hold; nothing for the others. */
export type Content = Directory | Bytes | Name | undefined

/**
 * One file of any type. It is its own `Attr`, `Entry` and `AttrReply`, so that a reply is encoded from
 * the record as it stands: a million of these are kept, and one is answered with at each request.
 */
export class Inode implements Attr, Entry {
  /** Also the node id. */
  readonly ino: number
  readonly generation: number
  readonly entryValid: Timespec
  readonly attrValid: Timespec
  mode: number
  nlink = 0
  uid: number
  gid: number
  size: U64 = 0
  blocks = 0
  readonly rdev: number
  atime: Timespec
  mtime: Timespec
  ctime: Timespec
  readonly btime: Timespec
  content: Content = undefined
  xattrs: Xattrs | undefined = undefined
  /** Whether the kernel may hold the node: a FORGET is then still to come. */
  known = false
  private success: Exit.Exit<this> | undefined = undefined

  constructor(
    ino: number,
    generation: number,
    mode: number,
    uid: number,
    gid: number,
    rdev: number,
    now: Timespec,
    entryValid: Timespec,
    attrValid: Timespec
  ) {
    this.ino = ino
    this.generation = generation
    this.mode = mode
    this.uid = uid
    this.gid = gid
    this.rdev = rdev
    this.atime = now
    this.mtime = now
    this.ctime = now
    this.btime = now
    this.entryValid = entryValid
    this.attrValid = attrValid
  }

  /** What it is answered with, made once. */
  get answer(): Exit.Exit<this> {
    return (this.success ??= Exit.succeed(this))
  }
  get nodeid(): number {
    return this.ino
  }
  get attr(): Attr {
    return this
  }
  get blksize(): number {
    return 4096
  }
  get flags(): number {
    return 0
  }
}

export const isDirectory = (inode: Inode): boolean => (inode.mode & S_IFMT) === S_IFDIR
export const isRegular = (inode: Inode): boolean => (inode.mode & S_IFMT) === S_IFREG
