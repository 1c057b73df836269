/** What operations make, change and remove: in memory at once, and in the unit at hand, so that it is stored. */
import { type Name, nameKey, ownName, type Timespec } from "@bickford/protocol"
import { Inode, isRegular } from "../posix/inode.ts"
import type { makeUsage } from "../posix/usage.ts"
import { putXattr } from "../posix/xattr.ts"
import type { ChunkCache } from "./chunkCache.ts"
import { ContentBytes, type ContentChanges } from "./contentBytes.ts"
import { type DirectoryParts, StoredDirectory } from "./directory.ts"
import type { InodeSettings } from "./inodeRow.ts"
import type { Journal } from "./journal.ts"
import type { LeaseRules } from "./leases.ts"
import type { NodeCache } from "./nodeCache.ts"
import { rootId } from "./schema.ts"
import type { Unit } from "./unit.ts"

interface NodeParts {
  readonly key: DirectoryParts["key"]
  readonly entryValid: Timespec
  readonly attrValid: Timespec
  readonly usage: ReturnType<typeof makeUsage>
  readonly cache: NodeCache
  readonly chunks: ChunkCache
  readonly journal: Journal
  /** What is changed now goes there. */
  readonly unit: () => Unit
  /** A number that nothing has; throws a RowFault when none is in memory. */
  readonly newId: () => number
  /** Whether the listing at hand shows attributes. */
  readonly listsInodes: () => boolean
  readonly leases: LeaseRules
}

/** How inodes are made of rows: their content notes in the unit at hand what is changed of it. */
const settingsOf = (parts: NodeParts) => {
  const { attrValid, cache, chunks, entryValid, journal, key, leases, listsInodes, newId, unit } = parts
  const changes: ContentChanges = {
    changed: (content, position) => unit().chunk(content, position),
    gone: (content, id, large) => unit().contentGone(content, id, large),
    newId,
    pin: (ino) => {
      leases.needChange(ino)
      journal.pin()
    }
  }
  const directoryParts: DirectoryParts = {
    key,
    listsInodes,
    get: (ino) => {
      const inode = cache.peek(ino)
      if (inode !== undefined) journal.found(inode)
      return inode
    },
    peek: cache.peek,
    inMemory: cache.inMemory,
    changing: leases.needChange,
    changed: (parent, cookie, entry) => {
      const { entries } = unit()
      const at = `${parent}:${cookie}`
      const before = entries.get(at)
      journal.note(() => (before === undefined ? entries.delete(at) : entries.set(at, before)))
      unit().entry(parent, cookie, entry)
    },
    moved: (ino) => {
      const inode = cache.get(ino)
      if (inode !== undefined) unit().inodes.add(inode)
    },
    note: journal.note,
    kept: cache.keepName
  }
  const settings: InodeSettings = {
    entryValid,
    attrValid,
    bytes: (ino, data, blocks) => new ContentBytes(chunks, changes, ino, data, blocks),
    directory: (ino, parent) => new StoredDirectory(directoryParts, ino, parent)
  }
  return settings
}

export const makeNodes = (parts: NodeParts) => {
  const { cache, journal, leases, unit, usage } = parts
  const settings = settingsOf(parts)

  /** What is used has changed: changed back when the operation is undone, or the unit that it belongs to. */
  const used = (back: () => void): void => {
    const { undo } = unit()
    undo.push(back)
    journal.note(() => {
      undo.pop()
      back()
    })
  }
  const charge = (uid: number, blocks: number, inodes: number): void => {
    usage.charge(uid, blocks, inodes)
    used(() => usage.charge(uid, -blocks, -inodes))
  }
  const add = (ino: number, mode: number, uid: number, gid: number, rdev: number, at: Timespec): Inode => {
    const inode = new Inode(ino, 0, mode, uid, gid, rdev, at, parts.entryValid, parts.attrValid)
    inode.xattrs = new Map()
    if (isRegular(inode)) inode.content = settings.bytes(ino, ino, 0)
    cache.add(inode)
    leases.made(ino)
    unit().inodes.add(inode)
    unit().made.add(ino)
    journal.note(() => {
      cache.unmake(ino)
      unit().inodes.delete(inode)
      unit().made.delete(ino)
    })
    charge(uid, 0, 1)
    return inode
  }
  const makeDirectory = (inode: Inode, parent: number): void => {
    const directory = settings.directory(inode.ino, parent)
    directory.isNew()
    inode.content = directory
  }

  return {
    settings,
    add,
    makeDirectory,
    makeRoot: (mode: number, uid: number, gid: number, at: Timespec): void => {
      const root = add(rootId, mode, uid, gid, 0, at)
      makeDirectory(root, rootId)
      root.nlink = 2
    },
    transfer: (from: number, to: number, blocks: number): void => {
      usage.transfer(from, to, blocks)
      used(() => usage.transfer(to, from, blocks))
    },
    /** Removes a node that has neither a name nor a lookup of the kernel's. */
    free: (inode: Inode): void => {
      const { content } = inode
      if (content instanceof ContentBytes) journal.later(() => content.remove())
      charge(inode.uid, -inode.blocks / 8, -1)
      const { inodes, removed } = unit()
      const wasChanged = inodes.delete(inode)
      cache.remove(inode.ino)
      removed.add(inode.ino)
      journal.note(() => {
        removed.delete(inode.ino)
        cache.add(inode)
        if (wasChanged) inodes.add(inode)
      })
    },
    /** Counts anew what a file uses. */
    recount: (inode: Inode, blocks: number): void => {
      const more = blocks - inode.blocks / 8
      if (more === 0) return
      charge(inode.uid, more, 0)
      inode.blocks = blocks * 8
    },
    /** Sets an attribute; `undefined` removes it. */
    setXattr: (inode: Inode, name: Name, value: Uint8Array | undefined): void => {
      leases.needChange(inode.ino)
      const key = nameKey(name)
      const { xattrs: changed } = unit()
      const before = inode.xattrs?.get(key)
      const changedKey = `${inode.ino}:${key}`
      const changedBefore = changed.get(changedKey)
      journal.note(() => {
        if (before === undefined) inode.xattrs?.delete(key)
        else inode.xattrs?.set(key, before)
        if (changedBefore === undefined) changed.delete(changedKey)
        else changed.set(changedKey, changedBefore)
      })
      if (value === undefined) inode.xattrs?.delete(key)
      else putXattr((inode.xattrs ??= new Map()), name, value)
      unit().xattr(inode.ino, ownName(name), inode.xattrs?.get(key)?.value)
    }
  }
}

export type Nodes = ReturnType<typeof makeNodes>
