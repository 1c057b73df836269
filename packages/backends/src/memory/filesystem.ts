/** The state that all operations share, and what more than one of them does with it. */
import { Errno, type ErrnoError, type Name, type Timespec, type U64 } from "@bickford/session"
import * as Exit from "effect/Exit"
import * as os from "node:os"
import { makeBufferPool } from "./bufferPool.ts"
import { Chunks } from "./chunks.ts"
import { notAfter, systemClock, timespec } from "./clock.ts"
import { Directory } from "./directory.ts"
import { type Inode, isDirectory, isRegular } from "./inode.ts"
import { S_IFDIR, permissionBits } from "./linux.ts"
import { makeLocks } from "./locks.ts"
import { nameKey, ownName } from "./names.ts"
import { makeNodes } from "./nodes.ts"
import type { MemoryOptions } from "./options.ts"
import { makeUsage } from "./usage.ts"

export type Failure = Exit.Exit<never, ErrnoError>

/** A reply without a body, allocated once. */
export const done: Exit.Exit<void> = Exit.void

const relatimeSeconds = 24 * 60 * 60

export const makeFilesystem = (options: MemoryOptions) => {
  const now = options.clock ?? systemClock()
  const nodes = makeNodes({
    entryValid: timespec(options.entryTimeout ?? 1),
    attrValid: timespec(options.attrTimeout ?? 1)
  })
  const usage = makeUsage({
    capacity: options.capacity ?? os.totalmem() / 2,
    maxInodes: options.maxInodes ?? 2 ** 24,
    userQuota: options.userQuota
  })
  const locks = makeLocks()
  const buffers = makeBufferPool()

  const root = nodes.add(
    S_IFDIR | ((options.mode ?? 0o755) & permissionBits),
    options.uid ?? process.getuid?.() ?? 0,
    options.gid ?? process.getgid?.() ?? 0,
    0,
    now()
  )
  root.content = new Directory(root)
  root.nlink = 2
  usage.charge(root.uid, 0, 1)

  const free = (inode: Inode): void => {
    nodes.remove(inode)
    locks.forget(inode.ino)
    usage.charge(inode.uid, -inode.blocks / 8, -1)
    if (inode.content instanceof Chunks) inode.content.release()
    inode.content = undefined
    inode.xattrs = undefined
  }

  /** After a change of a file's bytes: what it uses is counted anew. */
  const recount = (inode: Inode, chunks: Chunks): void => {
    const blocks = chunks.blocks * 8
    if (blocks === inode.blocks) return
    usage.charge(inode.uid, (blocks - inode.blocks) / 8, 0)
    inode.blocks = blocks
  }

  return {
    now,
    nodes,
    usage,
    locks,

    /** A new inode of the caller's, with no name yet. `noInode` has said that there is room. */
    make: (mode: number, uid: number, gid: number, rdev: number, at: Timespec): Inode => {
      usage.charge(uid, 0, 1)
      return nodes.add(mode, uid, gid, rdev, at)
    },

    /** Gives an inode a name in a directory; both are marked as changed. */
    attach: (parent: Inode, directory: Directory, name: Name, inode: Inode, at: Timespec): void => {
      directory.add(nameKey(name), ownName(name), inode)
      if (isDirectory(inode)) parent.nlink++
      parent.mtime = at
      parent.ctime = at
    },

    /** One name less; the inode goes when that was the last and the kernel does not hold it. */
    unlinked: (inode: Inode, at: Timespec): void => {
      inode.nlink = isDirectory(inode) ? 0 : inode.nlink - 1
      inode.ctime = at
      if (inode.nlink === 0 && !inode.known) free(inode)
    },

    /** The kernel holds the node no longer. */
    forget: (nodeid: U64): void => {
      const inode = nodes.get(nodeid)
      if (inode === undefined || inode === root) return
      inode.known = false
      if (inode.nlink === 0) free(inode)
    },

    /** The reply for an entry: the kernel holds the node from now on. */
    entry: (inode: Inode): Exit.Exit<Inode> => {
      inode.known = true
      return Exit.succeed(inode)
    },

    /** Marks a read, as the mount option relatime has it. */
    accessed: (inode: Inode): void => {
      const { atime } = inode
      if (!notAfter(atime, inode.mtime) && !notAfter(atime, inode.ctime)) {
        const at = now()
        if (Number(at.sec) - Number(atime.sec) >= relatimeSeconds) inode.atime = at
        return
      }
      inode.atime = now()
    },

    /** A regular file's bytes, made when first needed. */
    chunks: (inode: Inode): Chunks => {
      if (inode.content instanceof Chunks) return inode.content
      const chunks = new Chunks(buffers)
      inode.content = chunks
      return chunks
    },

    recount,

    /** Sets a regular file's size; what lies beyond is given back. */
    resize: (inode: Inode, size: U64): void => {
      const chunks = inode.content
      if (chunks instanceof Chunks) {
        chunks.punch(size, undefined)
        recount(inode, chunks)
        if (size === 0) inode.content = undefined
      }
      inode.size = size
    },

    /** Why a node is no regular file. */
    notRegular: (inode: Inode | undefined): Failure | undefined =>
      inode === undefined ? Errno.ESTALE : isRegular(inode) ? undefined : isDirectory(inode) ? Errno.EISDIR : Errno.EINVAL
  }
}

export type Filesystem = ReturnType<typeof makeFilesystem>
