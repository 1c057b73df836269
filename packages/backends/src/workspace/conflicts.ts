/**
 * Changes that cannot be applied without losing what others did to the base meanwhile: every base file that the branch has
 * changed or removed is compared with what it was when it was changed first.
 */
import type { Name } from "@bickford/protocol"
import { normal } from "@bickford/protocol/arithmetic"
import { prepareQuery } from "../sqlite/query.ts"
import { isSameVersion, type Version } from "./baseNode.ts"
import { type BranchPath, isAtOrBelow, parentOf, pathFromBytes, shownPath } from "./branchPath.ts"
import { type BaseStat, type BranchView, walkBase } from "./branchView.ts"
import type { ChangedTree } from "./changedTree.ts"
import type { FoundChange } from "./diff.ts"
import { isDirectoryMode } from "./fileTypes.ts"

/** What happened in the base to a path that the branch has changed. */
export interface Conflict {
  /** Relative to the base directory. */
  readonly path: Name
  /** `changed` there and here; `gone` there; `appeared`: a name that the branch has made or removed is a new one there. */
  readonly reason: "changed" | "gone" | "appeared"
}

/** A conflict, and the change that has it. */
export interface FoundConflict {
  readonly path: BranchPath
  readonly reason: Conflict["reason"]
  readonly change: FoundChange
}

type VersionRow = readonly [string, number, bigint, bigint, bigint, bigint, bigint]

const keyOf = (ino: string, birth: number): string => `${ino}:${birth}`

/** How base files were that the branch has changed or removed, by what they are. */
const knownVersions = (view: BranchView): ReadonlyMap<string, Version> => {
  const known = new Map<string, Version>()
  for (const table of ["gone", "origin"]) {
    const rows = prepareQuery<VersionRow>(
      view.db,
      `SELECT base, birth, size, mtime, mtimeNsec, ctime, ctimeNsec FROM ${table}`,
      true
    ).all()
    for (const [ino, birth, size, mtime, mtimeNsec, ctime, ctimeNsec] of rows) {
      known.set(keyOf(ino, birth), {
        size: normal(size),
        mtime: { sec: normal(mtime), nsec: Number(mtimeNsec) },
        ctime: { sec: normal(ctime), nsec: Number(ctimeNsec) }
      })
    }
  }
  return known
}

export const findConflicts = (
  view: BranchView,
  tree: ChangedTree,
  changes: ReadonlyArray<FoundChange>
): ReadonlyArray<FoundConflict> => {
  const known = knownVersions(view)
  const conflicts: Array<FoundConflict> = []
  const moved = changes.flatMap(({ basePath, kind }) =>
    kind === "renamed" && basePath !== undefined ? [basePath] : []
  )
  const reasonOf = (base: BaseStat): Conflict["reason"] | undefined => {
    const version = known.get(keyOf(String(base.identity.ino), base.identity.birth))
    if (version === undefined) return "appeared"
    // The times of a directory change with its names, each of which is looked at by itself.
    return isDirectoryMode(base.mode) || isSameVersion(base.version, version) ? undefined : "changed"
  }
  const note = (change: FoundChange, path: BranchPath, reason: Conflict["reason"] | undefined): void => {
    if (reason !== undefined) conflicts.push({ path, reason, change })
  }

  for (const change of changes) {
    const { base, basePath, covers, inode, kind, path } = change
    const origin = inode && tree.origins.get(inode.ino)
    const from = origin && pathFromBytes(origin.path)
    const covered = covers === undefined || covers === basePath ? undefined : view.stat(covers)
    if (covered !== undefined) note(change, path, reasonOf(covered))
    if (kind === "removed" && base !== undefined && basePath !== undefined) {
      for (const [found, stat] of walkBase(view, basePath)) {
        if (!moved.some((place) => isAtOrBelow(found, place))) note(change, found, reasonOf(stat))
      }
    } else if (from !== undefined && covers !== basePath) {
      if (base === undefined) note(change, path, "gone")
      else if (base.identity.ino !== origin?.identity.ino || base.identity.birth !== origin.identity.birth)
        note(change, path, "changed")
      else note(change, path, reasonOf(base))
    } else if (base !== undefined) note(change, path, reasonOf(base))
    else if (view.stat(parentOf(path)) === undefined && isOfBase(tree, changes, parentOf(path)))
      note(change, path, "gone")
  }
  return conflicts
}

/** Whether a directory has to be there in the base already: the branch has neither made nor moved it. */
const isOfBase = (tree: ChangedTree, changes: ReadonlyArray<FoundChange>, path: BranchPath): boolean =>
  tree.inodes.size > 0 &&
  !changes.some(({ kind, path: made }) => kind !== "removed" && kind !== "changed" && isAtOrBelow(path, made))

/** A conflict as it is told. */
export const shownConflict = ({ path, reason }: FoundConflict): Conflict => ({ path: shownPath(path), reason })
