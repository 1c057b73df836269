/**
 * What the operations of a POSIX filesystem need of the place where it is kept: inodes, directories,
 * bytes, attributes, and counts of what is used. The operations know the rules, a store keeps.
 */
import type { Name, Timespec, U64 } from "@bickford/protocol"
import { Errno, type ErrnoError } from "@bickford/session"
import * as Exit from "effect/Exit"
import type { Bytes } from "./bytes.ts"
import { type Directory, type Inode, isDirectory, isRegular } from "./inode.ts"
import type { Usage } from "./usage.ts"
import type { Xattrs } from "./xattr.ts"

export type { Directory, Listed } from "./inode.ts"

export type Failure = Exit.Exit<never, ErrnoError>

/** A reply without a body, allocated once. */
export const done: Exit.Exit<void> = Exit.void

/** The cookies of `.` and `..`, the same in every directory. */
export const dotOff = 1
export const dotDotOff = 2

export interface Filesystem {
  readonly now: () => Timespec
  readonly usage: Usage
  /** The inode of a node id, while there is one. */
  readonly node: (nodeid: U64) => Inode | undefined
  /** A new inode, with no name yet. `usage.noInode` has said that there is room. */
  readonly make: (mode: number, uid: number, gid: number, rdev: number, at: Timespec) => Inode
  /** Makes a new inode an empty directory. */
  readonly makeDirectory: (inode: Inode, parent: Inode) => void
  /** Makes a new inode a symlink. The target is copied. */
  readonly makeSymlink: (inode: Inode, target: Name) => void
  /** The entries of an inode that is a directory. */
  readonly directory: (inode: Inode) => Directory | undefined
  /** The target of an inode that is a symlink. */
  readonly target: (inode: Inode) => Name | undefined
  /** A regular file's bytes. */
  readonly bytes: (inode: Inode) => Bytes
  /** After a change of a file's bytes: what it uses is counted anew. */
  readonly recount: (inode: Inode, bytes: Bytes) => void
  /** Sets a regular file's size; what lies beyond is given back. */
  readonly resize: (inode: Inode, size: U64) => void
  readonly xattrs: (inode: Inode) => Xattrs | undefined
  /** Sets an attribute; the name and the value are copied. */
  readonly putXattr: (inode: Inode, name: Name, value: Uint8Array) => void
  /** False when there is none of that name. */
  readonly removeXattr: (inode: Inode, name: Name) => boolean
  /** One name less; the inode goes when that was the last and the kernel does not hold it. */
  readonly unlinked: (inode: Inode, at: Timespec) => void
  /** The kernel holds the node no longer. */
  readonly forget: (nodeid: U64) => void
  /** Marks a read, where the mount has it marked. */
  readonly accessed: (inode: Inode) => void
}

/** The reply for an entry: the kernel holds the node from now on. */
export const entry = (inode: Inode): Exit.Exit<Inode> => {
  inode.known = true
  return inode.answer
}

/** Gives an inode a name in a directory; both are marked as changed. */
export const attach = (parent: Inode, directory: Directory, name: Name, inode: Inode, at: Timespec): void => {
  directory.add(name, inode)
  if (isDirectory(inode)) parent.nlink++
  parent.mtime = at
  parent.ctime = at
}

/** Why a node is no regular file. */
export const notRegular = (inode: Inode | undefined): Failure | undefined =>
  inode === undefined ? Errno.ESTALE : isRegular(inode) ? undefined : isDirectory(inode) ? Errno.EISDIR : Errno.EINVAL
