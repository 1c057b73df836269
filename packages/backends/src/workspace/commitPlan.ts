/**
 * From the changes of a branch to the steps that bring them into the base. What is new or has other content is made beside the
 * base's files first, in a directory for that (staging), and only then moved to its place:
 *
 * 1. what is moved leaves its place, the deepest first;
 * 2. what is removed goes;
 * 3. directories come, and what was moved, from the top down;
 * 4. files come, each by one rename; then their other names;
 * 5. modes, owners, attributes and times, directories last.
 */
import type { Timespec } from "@bickford/protocol"
import { nameToBytes } from "@bickford/protocol"
import { type BranchPath, depthOf, isAtOrBelow, joinPath, parentOf } from "./branchPath.ts"
import type { BaseStat, BranchView } from "./branchView.ts"
import type { ChangedTree, StoredInode } from "./changedTree.ts"
import type { Step, StepAttributes } from "./commitSteps.ts"
import type { FoundChange } from "./diff.ts"
import { isDirectoryMode, isRegularMode, isSymlinkMode } from "./fileTypes.ts"

/** A file that is to be made in the staging directory before the steps. */
export interface Staged {
  readonly inode: StoredInode
  readonly path: BranchPath
}

export interface CommitPlan {
  readonly staged: ReadonlyArray<Staged>
  readonly steps: ReadonlyArray<Step>
}

const stepTime = ({ nsec, sec }: Timespec): readonly [string, number] => [String(sec), nsec]
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** What an inode of the branch has besides its content. */
export const attributesOf = (tree: ChangedTree, inode: StoredInode): StepAttributes => ({
  mode: inode.mode,
  uid: inode.uid,
  gid: inode.gid,
  atime: stepTime(inode.atime),
  mtime: stepTime(inode.mtime),
  isSymlink: isSymlinkMode(inode.mode),
  xattrs: [...tree.xattrs(inode.ino).values()].map(({ name, value }) => [hex(nameToBytes(name)), hex(value)])
})

const timesOf = (base: BaseStat): StepAttributes => ({
  mode: base.mode,
  uid: base.uid,
  gid: base.gid,
  atime: stepTime(base.atime),
  mtime: stepTime(base.mtime),
  isSymlink: false,
  xattrs: undefined
})

/** The directories that have a row, by path. */
const storedDirectories = (tree: ChangedTree): ReadonlyMap<BranchPath, StoredInode> => {
  const found = new Map<BranchPath, StoredInode>()
  for (const inode of tree.inodes.values()) {
    if (isDirectoryMode(inode.mode)) for (const path of tree.pathsOf(inode.ino)) found.set(path, inode)
  }
  return found
}

export const planCommit = (
  view: BranchView,
  tree: ChangedTree,
  changes: ReadonlyArray<FoundChange>,
  staging: BranchPath
): CommitPlan => {
  const moves = changes.filter(({ basePath, kind }) => kind === "renamed" && basePath !== undefined)
  const movedTo = (inode: StoredInode): BranchPath => joinPath(staging, `m${inode.ino}`)
  const deepestFirst = [...moves].sort((a, b) => depthOf(b.basePath ?? "") - depthOf(a.basePath ?? ""))
  /** Where a path of the base is once all that is moved has left its place. */
  const displaced = (path: BranchPath): BranchPath => {
    for (const { basePath = "", inode } of deepestFirst) {
      if (inode !== undefined && isAtOrBelow(path, basePath)) return movedTo(inode) + path.slice(basePath.length)
    }
    return path
  }
  const leaving: Array<Step> = []
  const removing: Array<Step> = []
  const placing: Array<{ readonly path: BranchPath; readonly step: Step }> = []
  const files: Array<Step> = []
  const links: Array<Step> = []
  const attributes: Array<Step> = []
  const directories: Array<{ readonly path: BranchPath; readonly attributes: StepAttributes }> = []
  const staged: Array<Staged> = []
  /** By inode: where its content is once the files have come. */
  const placed = new Map<number, BranchPath>()
  /** Directories whose names come and go: where each is in the end, and in the base, where it is of the base. */
  const touched = new Map<BranchPath, BranchPath | undefined>()

  for (const { basePath = "", inode } of deepestFirst) {
    if (inode !== undefined) leaving.push({ do: "move", from: basePath, to: movedTo(inode) })
  }

  // What the base has already, under the name that it will have when the files come.
  for (const origin of tree.origins.values()) {
    const own = tree.ownPath(origin)
    if (own !== undefined) placed.set(origin.ino, own)
  }
  for (const { inode, path } of moves) if (inode !== undefined) placed.set(inode.ino, path)

  const stage = (inode: StoredInode): BranchPath => {
    const path = joinPath(staging, `f${inode.ino}`)
    staged.push({ inode, path })
    return path
  }

  /** Another file takes the name: what is there goes first, unless one rename can replace it. */
  const makeWay = ({ covers, inode }: FoundChange): void => {
    const there = covers === undefined ? undefined : view.stat(covers)
    if (there === undefined || covers === undefined || inode === undefined) return
    if (isDirectoryMode(there.mode) || isDirectoryMode(inode.mode))
      removing.push({ do: "remove", path: displaced(covers) })
  }

  const come = (path: BranchPath, inode: StoredInode): void => {
    const first = placed.get(inode.ino)
    if (first === undefined) {
      placed.set(inode.ino, path)
      files.push({ do: "move", from: stage(inode), to: path })
    } else links.push({ do: "link", existing: first, path })
  }

  /** New content for a file that stays, by its own name or all of its names. */
  const refill = (path: BranchPath, inode: StoredInode, base: BaseStat): void => {
    const from = stage(inode)
    if (base.nlink > 1) files.push({ do: "copy", from, to: path })
    else files.push({ do: "move", from, to: path })
    attributes.push({ do: "attributes", path, attributes: attributesOf(tree, inode) })
  }

  for (const change of changes) {
    const { base, basePath, inode, kind, path, what } = change
    if (kind !== "removed" && path !== "") touched.set(parentOf(path), touched.get(parentOf(path)))
    const above = basePath === undefined || basePath === "" ? undefined : tree.baseDirectory(parentOf(basePath))
    if (basePath !== undefined && above !== undefined) touched.set(above, parentOf(basePath))
    if (kind === "removed" && basePath !== undefined) removing.push({ do: "remove", path: displaced(basePath) })
    if (inode === undefined) continue
    const isDirectory = isDirectoryMode(inode.mode)
    const origin = tree.origins.get(inode.ino)
    const isItself = base !== undefined && origin !== undefined && (kind === "renamed" || change.covers === undefined)
    makeWay(change)
    if (kind === "renamed") placing.push({ path, step: { do: "move", from: movedTo(inode), to: path } })
    if (isDirectory) {
      if (!isItself) placing.push({ path, step: { do: "mkdir", path } })
      directories.push({ path, attributes: attributesOf(tree, inode) })
    } else if (isItself && base !== undefined) {
      if (what.includes("content") && isRegularMode(inode.mode)) refill(path, inode, base)
      else attributes.push({ do: "attributes", path, attributes: attributesOf(tree, inode) })
    } else come(path, inode)
  }

  // They have the times that the branch shows.
  const stored = storedDirectories(tree)
  for (const [path, basePath] of touched) {
    if (directories.some((known) => known.path === path)) continue
    const inode = stored.get(path)
    const base = inode === undefined && basePath !== undefined ? view.stat(basePath) : undefined
    if (inode !== undefined) directories.push({ path, attributes: attributesOf(tree, inode) })
    else if (base !== undefined) directories.push({ path, attributes: timesOf(base) })
  }
  placing.sort((a, b) => depthOf(a.path) - depthOf(b.path))
  directories.sort((a, b) => depthOf(b.path) - depthOf(a.path))
  return {
    staged,
    steps: [
      ...leaving,
      ...removing,
      ...placing.map(({ step }) => step),
      ...files,
      ...links,
      ...attributes,
      { do: "remove", path: staging },
      ...directories.map((directory): Step => ({ do: "attributes", ...directory }))
    ]
  }
}
