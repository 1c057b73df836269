/**
 * The rows of a branch as a tree: which inodes it has, where each comes from, and by which paths it is found. All of it is
 * as large as what was changed, whatever the size of the base.
 */
import { nameFromBytes, type Timespec } from "@bickford/protocol"
import { normal } from "@bickford/protocol/arithmetic"
import { isDirectoryMode } from "./fileTypes.ts"
import type { DatabaseSync } from "node:sqlite"
import type { Xattrs } from "../posix/xattr.ts"
import { prepareQuery } from "../sqlite/query.ts"
import { rootId } from "../sqlite/storedNodes.ts"
import { type BranchPath, joinPath, lastName, parentOf, pathFromBytes } from "./branchPath.ts"
import { allOrigins, type Origin } from "./origins.ts"

/** An inode that has a row. */
export interface StoredInode {
  readonly ino: number
  readonly mode: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  readonly rdev: number
  readonly size: number
  readonly atime: Timespec
  readonly mtime: Timespec
  /** Names its chunks; undefined for what has no bytes. */
  readonly data: number | undefined
  readonly target: Uint8Array | undefined
}

type InodeRow = readonly [
  bigint,
  bigint,
  bigint,
  bigint,
  bigint,
  bigint,
  bigint,
  bigint,
  bigint,
  bigint,
  bigint,
  bigint | null,
  Uint8Array | null
]

const readInodes = (db: DatabaseSync): Map<number, StoredInode> => {
  const columns = "ino, mode, nlink, uid, gid, rdev, size, atime, atimeNsec, mtime, mtimeNsec, data, target"
  const rows = prepareQuery<InodeRow>(db, `SELECT ${columns} FROM inode`, true).all()
  return new Map(
    rows.map(([ino, mode, nlink, uid, gid, rdev, size, atime, an, mtime, mn, data, target]) => [
      Number(ino),
      {
        ino: Number(ino),
        mode: Number(mode),
        nlink: Number(nlink),
        uid: Number(uid),
        gid: Number(gid),
        rdev: Number(rdev),
        size: Number(size),
        atime: { sec: normal(atime), nsec: Number(an) },
        mtime: { sec: normal(mtime), nsec: Number(mn) },
        data: data === null ? undefined : Number(data),
        target: target ?? undefined
      }
    ])
  )
}

/** A name of a directory that has a row; inode 0 is a whiteout. */
export interface StoredName {
  readonly parent: number
  readonly name: BranchPath
  readonly ino: number
}

export type ChangedTree = ReturnType<typeof readChangedTree>

/** Reads a branch's rows. What was not committed yet is not among them. */
export const readChangedTree = (db: DatabaseSync, rootDevice: number) => {
  const inodes = readInodes(db)
  const origins = new Map(allOrigins(db, rootDevice).map((origin) => [origin.ino, origin]))
  const originAt = new Map<BranchPath, Origin>()
  for (const origin of origins.values()) {
    const inode = inodes.get(origin.ino)
    if (inode !== undefined && isDirectoryMode(inode.mode)) originAt.set(pathFromBytes(origin.path), origin)
  }
  const names: ReadonlyArray<StoredName> = prepareQuery<[number, Uint8Array, number]>(
    db,
    "SELECT parent, name, ino FROM entry"
  )
    .all()
    .map(([parent, name, ino]) => ({ parent, name: pathFromBytes(name), ino }))
  const byParent = new Map<number, Map<BranchPath, number>>()
  const byIno = new Map<number, Array<StoredName>>()
  for (const entry of names) {
    const siblings = byParent.get(entry.parent) ?? new Map<BranchPath, number>()
    siblings.set(entry.name, entry.ino)
    byParent.set(entry.parent, siblings)
    if (entry.ino !== 0) byIno.set(entry.ino, [...(byIno.get(entry.ino) ?? []), entry])
  }
  const xattrs = prepareQuery<[Uint8Array, Uint8Array]>(db, "SELECT name, value FROM xattr WHERE ino = ?")

  /** The row, if there is one, of a name of a base directory. */
  const rowAt = (basePath: BranchPath): number | undefined => {
    const parent = parentOf(basePath)
    const directory = parent === "" ? rootId : originAt.get(parent)?.ino
    return directory === undefined ? undefined : byParent.get(directory)?.get(lastName(basePath))
  }

  /** Where a directory of the base is found here; undefined when it is not. */
  const baseDirectory = (basePath: BranchPath): BranchPath | undefined => {
    if (basePath === "") return ""
    const origin = originAt.get(basePath)
    const moved = origin && byIno.get(origin.ino)?.[0]
    if (moved !== undefined) return pathOf(moved)
    return rowAt(basePath) === undefined ? underBase(basePath) : undefined
  }

  /** Where a name of the base is found here that has no row. */
  const underBase = (basePath: BranchPath): BranchPath | undefined => {
    const parent = baseDirectory(parentOf(basePath))
    return parent === undefined ? undefined : joinPath(parent, lastName(basePath))
  }

  const directory = (ino: number): BranchPath | undefined => {
    if (ino === rootId) return ""
    const named = byIno.get(ino)?.[0]
    if (named !== undefined) return pathOf(named)
    const origin = origins.get(ino)
    return origin && baseDirectory(pathFromBytes(origin.path))
  }

  const pathOf = ({ name, parent }: StoredName): BranchPath | undefined => {
    const above = directory(parent)
    return above === undefined ? undefined : joinPath(above, name)
  }

  /** Where a path of the base is found here; undefined when its name was taken from it. */
  const placeOf = (path: BranchPath): BranchPath | undefined =>
    path === "" ? "" : rowAt(path) === undefined ? underBase(path) : undefined

  const ownPath = (origin: Origin): BranchPath | undefined => placeOf(pathFromBytes(origin.path))

  return {
    inodes,
    origins,
    names,
    pathOf,
    /** The paths by which an inode is found, those that the branch's rows and its origin tell. */
    pathsOf: (ino: number): ReadonlyArray<BranchPath> => {
      const origin = origins.get(ino)
      const own = origin && ownPath(origin)
      const paths = new Set((byIno.get(ino) ?? []).flatMap((entry) => pathOf(entry) ?? []))
      if (own !== undefined) paths.add(own)
      return [...paths].sort()
    },
    /** Where an inode is found by the base's own name; undefined when that was taken from it. */
    ownPath,
    placeOf,
    /** Where a directory of the base is found here, by whatever name; undefined when it is not. */
    baseDirectory,
    /** The path in the base of what a name of a directory with a row was; undefined in a directory made here. */
    basePathOf: ({ name, parent }: StoredName): BranchPath | undefined => {
      if (parent === rootId) return name
      const origin = origins.get(parent)
      return origin && joinPath(pathFromBytes(origin.path), name)
    },
    isNamed: (ino: number): boolean => byIno.has(ino),
    xattrs: (ino: number): Xattrs =>
      new Map(
        xattrs.all(ino).map(([name, value]) => [pathFromBytes(name), { name: nameFromBytes(name), value }] as const)
      )
  }
}
