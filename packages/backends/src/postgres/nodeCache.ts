/** The inodes that are in memory, what is in memory of their entries and bytes, and the numbers that are known to name nothing. */
import type { Inode } from "../posix/inode.ts"
import type { ChunkCache, ChunkOwner } from "./chunkCache.ts"
import { ContentBytes } from "./contentBytes.ts"
import { StoredDirectory } from "./directory.ts"
import { RowFault } from "./rowFault.ts"
import type { LeaseRules } from "./leases.ts"
import { rootId } from "./schema.ts"
import type { Unit } from "./unit.ts"

/** Inodes kept in memory, about 500 bytes each. */
const cachedMax = 1 << 17
/** Names kept in memory, of all directories together. */
const namesMax = 1 << 18
/** Numbers that are remembered to name nothing. */
const absentMax = 1 << 14

/** What the unit at hand is to store, and so has to stay in memory. */
const neededBy = ({ entries, inodes }: Unit): ReadonlySet<number> => {
  const needed = new Set<number>()
  for (const { parent } of entries.values()) needed.add(parent)
  for (const { ino } of inodes) needed.add(ino)
  return needed
}

/** Drops the inodes that were used longest ago, but none that is needed; whether any was dropped. */
const trimInodes = (
  cache: Map<number, Inode>,
  leases: LeaseRules,
  needed: ReadonlySet<number>,
  contents: Unit["contents"]
): boolean => {
  if (cache.size <= cachedMax) return false
  for (const inode of cache.values()) {
    if (cache.size <= cachedMax * 0.9) break
    // A file without a name is forgotten once: it has to be here then.
    if (inode.nlink === 0 || inode.ino === rootId || needed.has(inode.ino)) continue
    const { content } = inode
    if (content instanceof ContentBytes) {
      if (contents.has(content)) continue
      content.forget()
    }
    cache.delete(inode.ino)
    if (inode.known) leases.dropped(inode.ino)
  }
  return true
}

export const makeNodeCache = (chunks: ChunkCache, leases: LeaseRules) => {
  const cache = new Map<number, Inode>()
  const absent = new Set<number>()
  const directories = new Set<StoredDirectory>()
  let names = 0

  const trimNames = (needed: ReadonlySet<number>): boolean => {
    if (names <= namesMax) return false
    names = 0
    for (const directory of directories) {
      if (needed.has(directory.ino)) continue
      directory.forget()
      directories.delete(directory)
    }
    return true
  }

  return {
    /** The inode if it is in memory, or known not to be there. */
    inMemory: (ino: number): { readonly inode: Inode | undefined } | undefined => {
      if (leases.isLeaving(ino)) return undefined
      const inode = cache.get(ino)
      return inode !== undefined || absent.has(ino) ? { inode } : undefined
    },
    /** Throws a RowFault when it is not known whether there is one. */
    peek: (ino: number): Inode | undefined => {
      const found = cache.get(ino)
      if ((found !== undefined || absent.has(ino)) && !leases.isLeaving(ino)) return found
      throw new RowFault({ kind: "inodes", inos: [ino] })
    },
    get: (ino: number): Inode | undefined => cache.get(ino),
    add: (inode: Inode): void => {
      absent.delete(inode.ino)
      cache.set(inode.ino, inode)
    },
    /** An inode is gone. */
    remove: (ino: number): void => {
      cache.delete(ino)
      absent.add(ino)
    },
    /** An inode was not made after all. */
    unmake: (ino: number): void => void cache.delete(ino),
    /** One more name of a directory is kept. */
    keepName: (directory: StoredDirectory): void => {
      names++
      directories.add(directory)
    },
    /** Takes inodes that were loaded; `asked` of which none came are not there. What memory knows is right, and stays. */
    loaded: (inodes: ReadonlyArray<Inode>, asked: ReadonlyArray<number> = []): void => {
      for (const inode of inodes) {
        if (cache.has(inode.ino) || absent.has(inode.ino)) continue
        // An earlier server may have told the kernel of it.
        inode.known = leases.isKnown(inode.ino)
        cache.set(inode.ino, inode)
      }
      for (const ino of asked) if (!cache.has(ino)) absent.add(ino)
    },
    /** Drops what is in memory of an inode; whether the kernel may know it. */
    drop: (ino: number): boolean => {
      const inode = cache.get(ino)
      if (inode === undefined) return false
      cache.delete(ino)
      const { content } = inode
      if (content instanceof ContentBytes) content.forget()
      if (content instanceof StoredDirectory) {
        content.forget()
        directories.delete(content)
      }
      return inode.known
    },
    /** Drops what was used longest ago, but nothing that the unit at hand is to store; whether anything was dropped. */
    trim: (unit: Unit): boolean => {
      const { contents, removed } = unit
      const needed = neededBy(unit)
      let dropped = trimNames(needed)
      if (absent.size > absentMax) {
        absent.clear()
        for (const ino of removed) absent.add(ino)
        dropped = true
      }
      const changed: ReadonlySet<ChunkOwner> = new Set(contents.keys())
      if (chunks.trim(({ owner }) => changed.has(owner))) dropped = true
      return trimInodes(cache, leases, needed, contents) || dropped
    },
    /** Drops all: nothing of what is in memory is known to be stored. */
    clear: (): void => {
      for (const { ino, known } of cache.values()) if (known) leases.dropped(ino)
      cache.clear()
      absent.clear()
      directories.clear()
      names = 0
      chunks.clear()
    }
  }
}

export type NodeCache = ReturnType<typeof makeNodeCache>
