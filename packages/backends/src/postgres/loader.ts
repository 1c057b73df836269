/** Loads what operations miss into memory. */
import * as Effect from "effect/Effect"
import type { DatabaseError } from "./database.ts"
import { StoredDirectory } from "./directory.ts"
import type { Loads } from "./loads.ts"
import type { NodeCache } from "./nodeCache.ts"
import { patiently } from "./patience.ts"
import { type Missing, RowFault } from "./rowFault.ts"
import { idsPerBlock } from "./schema.ts"

/** Numbers left of which on more are fetched. */
const idsLow = idsPerBlock / 4

/** Gives out numbers that nothing has, of blocks that are this session's. */
export const makeIds = (fetch: () => void) => {
  const ids: Array<number> = []
  return {
    /** Throws a RowFault when there are none in memory. */
    next: (): number => {
      if (ids.length === idsLow) fetch()
      const id = ids.pop()
      if (id === undefined) throw new RowFault({ kind: "ids" })
      return id
    },
    add: (block: number): void => {
      for (let n = idsPerBlock - 1; n >= 0; n--) ids.push(block * idsPerBlock + n)
    }
  }
}

interface LoaderParts {
  readonly loads: Loads
  readonly cache: Pick<NodeCache, "inMemory" | "loaded">
  readonly ids: Pick<ReturnType<typeof makeIds>, "add">
  /** Seconds for which a lost connection is waited for. */
  readonly grace: number
  /** Changes when rows that were in memory are dropped: what was asked for before may be older than what they were. */
  readonly generation: () => number
  /** Called when something was loaded. */
  readonly loaded: () => void
}

/** Loads what is missing. What memory knows by the time that the rows come is right, and stays. */
export const makeLoader = ({ cache, generation, grace, ids, loaded, loads }: LoaderParts) => {
  const directoryOf = (ino: number): StoredDirectory | undefined => {
    const content = cache.inMemory(ino)?.inode?.content
    return content instanceof StoredDirectory ? content : undefined
  }

  /** Runs the statement, and returns how its rows are taken. */
  const fetch = async (missing: Missing): Promise<() => void> => {
    switch (missing.kind) {
      case "inodes": {
        const inodes = await loads.inodes(missing.inos)
        return () => cache.loaded(inodes, missing.inos)
      }
      case "name": {
        const { name, parent } = missing
        const { entries, inodes } = await loads.name(parent, name)
        return () => {
          cache.loaded(inodes, [parent])
          directoryOf(parent)?.loadedName(name, entries)
        }
      }
      case "page": {
        const { after, parent, withInodes } = missing
        const { entries, inodes, through } = await loads.page(parent, after, withInodes)
        return () => {
          cache.loaded(inodes, withInodes ? entries.map(({ ino }) => ino) : [])
          directoryOf(parent)?.loadedPage(after, through, entries)
        }
      }
      case "bits": {
        const { content, first } = missing
        const { id } = content
        const { last, rows } = await loads.bits(id, first)
        return () => {
          if (content.id === id) content.loadedBits(first, last, rows)
        }
      }
      case "chunks": {
        const { content, first, last } = missing
        const { id } = content
        const rows = await loads.chunks(id, first, last)
        return () => {
          if (content.id === id) content.loadedChunks(first, last, rows)
        }
      }
      case "edges": {
        const { content, first, last } = missing
        const { id } = content
        const rows = await loads.edges(id, first, last)
        return () => {
          if (content.id === id) content.loadedChunks(first, last, rows)
        }
      }
      // Only where several hosts serve the store (sharedLoader.ts).
      case "change":
      case "trust":
        return () => {}
      case "ids": {
        const block = await loads.idBlock()
        return () => ids.add(block)
      }
    }
  }

  return (missing: Missing): Effect.Effect<void, DatabaseError> =>
    Effect.suspend(() => {
      const before = generation()
      return Effect.map(
        patiently(() => fetch(missing), grace),
        (take) => {
          // The operation asks again for what it still misses.
          if (before !== generation() && missing.kind !== "ids") return
          take()
          loaded()
        }
      )
    })
}

export type Loader = ReturnType<typeof makeLoader>
