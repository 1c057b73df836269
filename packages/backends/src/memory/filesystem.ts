/** Where a memory filesystem is kept: in objects, found by node id. */
import { makeAtimes } from "../posix/atime.ts"
import { systemClock, timespec } from "../posix/clock.ts"
import type { Filesystem } from "../posix/filesystem.ts"
import { type Inode, isDirectory } from "../posix/inode.ts"
import { permissionBits, S_IFDIR } from "../posix/linux.ts"
import { nameKey, ownName } from "@bickford/protocol"
import { blockSize, makeUsage } from "../posix/usage.ts"
import { putXattr } from "../posix/xattr.ts"
import { makeBufferPool } from "./bufferPool.ts"
import { Chunks } from "./chunks.ts"
import { MemoryDirectory } from "./directory.ts"
import { makeLocks } from "./locks.ts"
import { makeNodes } from "./nodes.ts"
import type { MemoryOptions } from "./options.ts"
import * as os from "node:os"

/** What is used, and what there is: no more than the machine's memory, whatever the capacity. */
const makeMemoryUsage = ({ capacity = os.totalmem() / 2, maxInodes = 2 ** 24, userQuota }: MemoryOptions) => {
  const usage = makeUsage({ capacity, maxInodes, userQuota })
  const machine = Math.floor(os.totalmem() / blockSize)
  const { room, total } = usage
  return { ...usage, room: (uid: number): number => Math.min(room(uid), machine - total.blocks) }
}

export const makeFilesystem = (options: MemoryOptions) => {
  const now = options.clock ?? systemClock()
  const nodes = makeNodes({
    entryValid: timespec(options.entryTimeout ?? 1),
    attrValid: timespec(options.attrTimeout ?? 1)
  })
  const usage = makeMemoryUsage(options)
  const atimes = makeAtimes(now)
  const locks = makeLocks()
  const buffers = makeBufferPool()

  const root = nodes.add(
    S_IFDIR | ((options.mode ?? 0o755) & permissionBits),
    options.uid ?? process.getuid?.() ?? 0,
    options.gid ?? process.getgid?.() ?? 0,
    0,
    now()
  )
  root.content = new MemoryDirectory(root)
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

  const filesystem: Filesystem = {
    now,
    usage,
    node: nodes.get,
    make: (mode, uid, gid, rdev, at) => {
      usage.charge(uid, 0, 1)
      return nodes.add(mode, uid, gid, rdev, at)
    },
    makeDirectory: (inode, parent) => {
      inode.content = new MemoryDirectory(parent)
    },
    makeSymlink: (inode, target) => {
      inode.content = ownName(target)
    },
    directory: ({ content }) => (content instanceof MemoryDirectory ? content : undefined),
    target: ({ content }) => (typeof content === "string" || content instanceof Uint8Array ? content : undefined),
    // Made when first needed.
    bytes: (inode) => {
      if (inode.content instanceof Chunks) return inode.content
      const chunks = new Chunks(buffers)
      inode.content = chunks
      return chunks
    },
    recount: (inode, bytes) => {
      const blocks = bytes.blocks * 8
      if (blocks === inode.blocks) return
      usage.charge(inode.uid, (blocks - inode.blocks) / 8, 0)
      inode.blocks = blocks
    },
    resize: (inode, size) => {
      const chunks = inode.content
      if (chunks instanceof Chunks) {
        chunks.punch(size, undefined)
        filesystem.recount(inode, chunks)
        if (size === 0) inode.content = undefined
      }
      inode.size = size
    },
    xattrs: (inode) => inode.xattrs,
    putXattr: (inode, name, value) => putXattr((inode.xattrs ??= new Map()), name, value),
    removeXattr: (inode, name) => {
      if (inode.xattrs?.delete(nameKey(name)) !== true) return false
      if (inode.xattrs.size === 0) inode.xattrs = undefined
      return true
    },
    unlinked: (inode, at) => {
      inode.nlink = isDirectory(inode) ? 0 : inode.nlink - 1
      inode.ctime = at
      if (inode.nlink === 0 && !inode.known) free(inode)
    },
    forget: (nodeid) => {
      const inode = nodes.get(nodeid)
      if (inode === undefined || inode === root) return
      inode.known = false
      if (inode.nlink === 0) free(inode)
    },
    accessed: (inode) => void atimes.mark(inode)
  }
  return { filesystem, atimes, locks, usage, makeLender: buffers.makeLender }
}
