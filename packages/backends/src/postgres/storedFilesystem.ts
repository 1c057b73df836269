/** Gives the operations of a POSIX filesystem the nodes that are in memory. */
import { nameKey, ownName, type Timespec, type U64 } from "@bickford/protocol"
import type { makeAtimes } from "../posix/atime.ts"
import type { Filesystem } from "../posix/filesystem.ts"
import { type Inode, isDirectory } from "../posix/inode.ts"
import type { makeUsage } from "../posix/usage.ts"
import { ContentBytes } from "./contentBytes.ts"
import { StoredDirectory } from "./directory.ts"
import type { Journal } from "./journal.ts"
import type { LeaseRules } from "./leases.ts"
import type { NodeCache } from "./nodeCache.ts"
import type { Nodes } from "./nodes.ts"
import { rootId } from "./schema.ts"
import type { Unit } from "./unit.ts"

interface FilesystemParts {
  readonly now: () => Timespec
  readonly newId: () => number
  readonly usage: ReturnType<typeof makeUsage>
  readonly atimes: Pick<ReturnType<typeof makeAtimes>, "mark">
  readonly cache: NodeCache
  readonly nodes: Nodes
  readonly journal: Journal
  readonly unit: () => Unit
  readonly leases: LeaseRules
}

const bytesOf = ({ content, ino }: Inode): ContentBytes => {
  if (content instanceof ContentBytes) return content
  throw new Error(`inode ${ino} has no bytes`)
}

export const makeStoredFilesystem = (parts: FilesystemParts): Filesystem => {
  const { atimes, cache, journal, leases, newId, nodes, now, unit, usage } = parts
  return {
    now,
    usage: { ...usage, transfer: nodes.transfer },
    node: (nodeid: U64): Inode | undefined => {
      if (typeof nodeid !== "number") return undefined
      const inode = cache.peek(nodeid)
      if (inode !== undefined) journal.found(inode)
      return inode
    },
    make: (mode, uid, gid, rdev, at) => nodes.add(newId(), mode, uid, gid, rdev, at),
    makeDirectory: (inode, parent) => nodes.makeDirectory(inode, parent.ino),
    makeSymlink: (inode, target) => {
      inode.content = ownName(target)
    },
    directory: ({ content }) => (content instanceof StoredDirectory ? content : undefined),
    target: ({ content }) => (typeof content === "string" || content instanceof Uint8Array ? content : undefined),
    bytes: bytesOf,
    recount: (inode, bytes) => nodes.recount(inode, bytes.blocks),
    resize: (inode, size) => {
      if (inode.blocks > 0) {
        const bytes = bytesOf(inode)
        bytes.punch(size, undefined)
        nodes.recount(inode, bytes.blocks)
        // Another number of the content is stored with the inode.
        unit().inodes.add(inode)
      }
      inode.size = size
    },
    xattrs: (inode) => inode.xattrs,
    putXattr: nodes.setXattr,
    removeXattr: (inode, name) => {
      if (inode.xattrs?.has(nameKey(name)) !== true) return false
      nodes.setXattr(inode, name, undefined)
      return true
    },
    unlinked: (inode, at) => {
      inode.nlink = isDirectory(inode) ? 0 : inode.nlink - 1
      inode.ctime = at
      if (inode.nlink === 0 && !inode.known && leases.isOnlyOurs(inode.ino)) nodes.free(inode)
    },
    forget: (nodeid) => {
      const inode = typeof nodeid === "number" ? cache.get(nodeid) : undefined
      if (inode === undefined || inode.ino === rootId) return
      inode.known = false
      if (inode.nlink > 0 || !leases.isOnlyOurs(inode.ino)) return
      leases.needChange(inode.ino)
      nodes.free(inode)
    },
    accessed: (inode) => {
      // A time is not worth a lease: where others read as well it stays as it is.
      if (leases.mayChange(inode.ino) && atimes.mark(inode)) unit().inodes.add(inode)
    }
  }
}
