/** By which path an inode is found on a branch that is served. */
import { nameToBytes, type Name } from "@bickford/protocol"
import type { DatabaseSync } from "node:sqlite"
import type { EntryStore } from "../sqlite/directory.ts"
import { prepareQuery } from "../sqlite/query.ts"
import { rootId } from "../sqlite/storedNodes.ts"
import type { Base } from "./base.ts"
import { type BranchPath, joinPath, pathFromBytes } from "./branchPath.ts"

export const textOf = (name: Name): BranchPath => pathFromBytes(nameToBytes(name))

/** One name of a directory. */
interface Place {
  readonly parent: number
  readonly name: BranchPath
}

export type NodePaths = ReturnType<typeof makeNodePaths>

export const makeNodePaths = (db: DatabaseSync, entries: EntryStore, base: Base) => {
  const named = prepareQuery<[number, Uint8Array]>(db, "SELECT parent, name FROM entry WHERE ino = ? AND ino <> 0")
  /** Of directories. A rename of one changes those of all below it. */
  const known = new Map<number, BranchPath>()
  /** The other way round. */
  const inos = new Map<BranchPath, number>()

  const directory = (ino: number): BranchPath | undefined => {
    const path = known.get(ino) ?? find(ino)
    if (path === undefined) return undefined
    known.set(ino, path)
    inos.set(path, ino)
    return path
  }

  const at = ({ name, parent }: Place): BranchPath | undefined => {
    const above = directory(parent)
    return above === undefined ? undefined : joinPath(above, name)
  }

  const ofBase = (ino: number): BranchPath | undefined => {
    const node = base.isOfBase(ino) ? base.nodeOf(ino) : undefined
    if (node?.parent === undefined || node.removed) return undefined
    for (const { name, parent } of [{ name: node.name, parent: node.parent }, ...node.otherNames]) {
      // A row tells that the name was taken from it.
      if (entries.find(parent.ino, name) === undefined) return at({ parent: parent.ino, name: textOf(name) })
    }
    return undefined
  }

  const find = (ino: number, but?: Place): BranchPath | undefined => {
    if (ino === rootId) return ""
    for (const [parent, bytes] of named.all(ino)) {
      const name = pathFromBytes(bytes)
      if (parent === but?.parent && name === but.name) continue
      const path = at({ parent, name })
      if (path !== undefined) return path
    }
    return ofBase(ino)
  }

  return {
    directory,
    /** The path of a name in a directory; undefined where the directory has none. */
    at,
    /** A path of an inode, but not the one `but`; undefined when it has no name. */
    find,
    /** Names have changed by which directories are found. */
    forget: (): void => {
      known.clear()
      inos.clear()
    },
    /** A directory, in which nothing was, is gone. */
    forgetDirectory: (path: BranchPath): void => {
      const ino = inos.get(path)
      if (ino !== undefined) known.delete(ino)
      inos.delete(path)
    }
  }
}
