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

/** Brings the changes into phases; the steps of each are in order. */
class Planner {
  readonly #view: BranchView
  readonly #tree: ChangedTree
  readonly #staging: BranchPath
  readonly #moves: ReadonlyArray<FoundChange>
  readonly #staged: Array<Staged> = []
  readonly #leaving: Array<Step> = []
  readonly #removing: Array<Step> = []
  readonly #placing: Array<{ readonly path: BranchPath; readonly step: Step }> = []
  readonly #files: Array<Step> = []
  readonly #links: Array<Step> = []
  readonly #attributes: Array<Step> = []
  readonly #directories = new Map<BranchPath, StepAttributes>()
  /** By inode: where its content is once the files have come. */
  readonly #placed = new Map<number, BranchPath>()
  /** Directories whose names come and go: where each is in the end, and in the base, where it is of the base. */
  readonly #touched = new Map<BranchPath, BranchPath | undefined>()

  constructor(view: BranchView, tree: ChangedTree, changes: ReadonlyArray<FoundChange>, staging: BranchPath) {
    this.#view = view
    this.#tree = tree
    this.#staging = staging
    const moves = changes.filter(({ basePath, kind }) => kind === "renamed" && basePath !== undefined)
    this.#moves = moves.sort((a, b) => depthOf(b.basePath ?? "") - depthOf(a.basePath ?? ""))
    for (const { basePath = "", inode } of this.#moves) {
      if (inode !== undefined) this.#leaving.push({ do: "move", from: basePath, to: this.#movedTo(inode) })
    }
    this.#notePlaced()
  }

  /** What the base has already, under the name that it will have when the files come. */
  #notePlaced(): void {
    for (const origin of this.#tree.origins.values()) {
      const own = this.#tree.ownPath(origin)
      if (own !== undefined) this.#placed.set(origin.ino, own)
    }
    for (const { inode, path } of this.#moves) if (inode !== undefined) this.#placed.set(inode.ino, path)
  }

  #movedTo(inode: StoredInode): BranchPath {
    return joinPath(this.#staging, `m${inode.ino}`)
  }

  /** Where a path of the base is once all that is moved has left its place. */
  #displaced(path: BranchPath): BranchPath {
    for (const { basePath = "", inode } of this.#moves) {
      if (inode !== undefined && isAtOrBelow(path, basePath)) return this.#movedTo(inode) + path.slice(basePath.length)
    }
    return path
  }

  #stage(inode: StoredInode): BranchPath {
    const path = joinPath(this.#staging, `f${inode.ino}`)
    this.#staged.push({ inode, path })
    return path
  }

  /** Another file takes the name: what is there goes first, unless one rename can replace it. */
  #makeWay({ covers, inode }: FoundChange): void {
    const there = covers === undefined ? undefined : this.#view.stat(covers)
    if (there === undefined || covers === undefined || inode === undefined) return
    if (isDirectoryMode(there.mode) || isDirectoryMode(inode.mode))
      this.#removing.push({ do: "remove", path: this.#displaced(covers) })
  }

  #come(path: BranchPath, inode: StoredInode): void {
    const first = this.#placed.get(inode.ino)
    if (first === undefined) {
      this.#placed.set(inode.ino, path)
      this.#files.push({ do: "move", from: this.#stage(inode), to: path })
    } else this.#links.push({ do: "link", existing: first, path })
  }

  /** New content for a file that stays, by its own name or all of its names. */
  #refill(path: BranchPath, inode: StoredInode, base: BaseStat): void {
    this.#files.push({ do: base.nlink > 1 ? "copy" : "move", from: this.#stage(inode), to: path })
  }

  /** Notes the directories that lose or get a name by a change. */
  #touch({ basePath, kind, path }: FoundChange): void {
    const touched = this.#touched
    if (kind !== "removed" && path !== "") touched.set(parentOf(path), touched.get(parentOf(path)))
    const above = basePath === undefined || basePath === "" ? undefined : this.#tree.baseDirectory(parentOf(basePath))
    if (basePath !== undefined && above !== undefined) touched.set(above, parentOf(basePath))
  }

  add(change: FoundChange): void {
    const { base, basePath, covers, inode, kind, path, what } = change
    this.#touch(change)
    if (kind === "removed" && basePath !== undefined)
      this.#removing.push({ do: "remove", path: this.#displaced(basePath) })
    if (inode === undefined) return
    const origin = this.#tree.origins.get(inode.ino)
    const isItself = base !== undefined && origin !== undefined && (kind === "renamed" || covers === undefined)
    this.#makeWay(change)
    if (kind === "renamed") this.#placing.push({ path, step: { do: "move", from: this.#movedTo(inode), to: path } })
    if (isDirectoryMode(inode.mode)) {
      if (!isItself) this.#placing.push({ path, step: { do: "mkdir", path } })
      this.#directories.set(path, attributesOf(this.#tree, inode))
    } else if (isItself && base !== undefined) {
      if (what.includes("content") && isRegularMode(inode.mode)) this.#refill(path, inode, base)
      this.#attributes.push({ do: "attributes", path, attributes: attributesOf(this.#tree, inode) })
    } else this.#come(path, inode)
  }

  /** Directories whose names came and went have the times that the branch shows. */
  #restoreTimes(): void {
    const stored = storedDirectories(this.#tree)
    for (const [path, basePath] of this.#touched) {
      if (this.#directories.has(path)) continue
      const inode = stored.get(path)
      const base = inode === undefined && basePath !== undefined ? this.#view.stat(basePath) : undefined
      if (inode !== undefined) this.#directories.set(path, attributesOf(this.#tree, inode))
      else if (base !== undefined) this.#directories.set(path, timesOf(base))
    }
  }

  finish(): CommitPlan {
    this.#restoreTimes()
    const placing = this.#placing.sort((a, b) => depthOf(a.path) - depthOf(b.path))
    const directories = [...this.#directories].sort(([a], [b]) => depthOf(b) - depthOf(a))
    return {
      staged: this.#staged,
      steps: [
        ...this.#leaving,
        ...this.#removing,
        ...placing.map(({ step }) => step),
        ...this.#files,
        ...this.#links,
        ...this.#attributes,
        { do: "remove", path: this.#staging },
        ...directories.map(([path, attributes]): Step => ({ do: "attributes", path, attributes }))
      ]
    }
  }
}

/** Returns the steps that bring `changes` into the base, by way of the directory `staging`. */
export const planCommit = (
  view: BranchView,
  tree: ChangedTree,
  changes: ReadonlyArray<FoundChange>,
  staging: BranchPath
): CommitPlan => {
  const planner = new Planner(view, tree, changes, staging)
  for (const change of changes) planner.add(change)
  return planner.finish()
}
