/** What a branch has changed, by path: as many steps as there are changes, whatever the size of the base. */
import type { Name, U64 } from "@bickford/protocol"
import { type BranchPath, pathFromBytes, shownPath } from "./branchPath.ts"
import { type BaseStat, type BranchView, walkBase } from "./branchView.ts"
import type { ChangedTree, StoredInode } from "./changedTree.ts"
import { readChangedTree } from "./changedTree.ts"
import { type FileType, fileTypeOf, isDirectoryMode, isRegularMode, isSymlinkMode } from "./fileTypes.ts"
import { hasBytesOf } from "./storedContent.ts"

/** What of a file is another than in the base. */
export type Aspect = "type" | "content" | "mode" | "owner" | "times" | "xattrs"

/** One path that is not as it is in the base. */
export interface Change {
  readonly kind: "added" | "removed" | "changed" | "renamed"
  /** Relative to the base directory; a removed file's is that in the base. Text, or the bytes of what is no UTF-8. */
  readonly path: Name
  /** Where a renamed file is in the base. */
  readonly from?: Name
  readonly type: FileType
  /** What of it was changed, for `changed` and `renamed`. */
  readonly what: ReadonlyArray<Aspect>
}

/** A change as a commit needs it. */
export interface FoundChange {
  readonly kind: Change["kind"]
  readonly path: BranchPath
  /** The path in the base of what is removed, changed or renamed, or of what an added file takes the place of. */
  readonly basePath: BranchPath | undefined
  /** The inode of the branch; undefined for what was removed. */
  readonly inode: StoredInode | undefined
  readonly base: BaseStat | undefined
  /** The path in the base of another file, whose place it takes. */
  readonly covers: BranchPath | undefined
  readonly what: ReadonlyArray<Aspect>
}

const mode = 0o7777

const isSameXattrs = (view: BranchView, tree: ChangedTree, ino: number, basePath: BranchPath): boolean => {
  const here = tree.xattrs(ino)
  const there = view.xattrs(basePath)
  if (here.size !== there.size) return false
  for (const { name, value } of there.values()) {
    const own = [...here.values()].find((xattr) => String(xattr.name) === String(name))
    if (own === undefined || Buffer.compare(own.value, value) !== 0) return false
  }
  return true
}

const isSameContent = (
  view: BranchView,
  tree: ChangedTree,
  inode: StoredInode,
  base: BaseStat,
  basePath: BranchPath
) => {
  if (isRegularMode(inode.mode)) return hasBytesOf(view, tree, inode, basePath)
  if (isSymlinkMode(inode.mode)) return Buffer.compare(inode.target ?? Buffer.alloc(0), view.target(basePath)) === 0
  return inode.rdev === base.rdev
}

/** In what a file of the branch is another than one of the base. */
const aspects = (view: BranchView, tree: ChangedTree, inode: StoredInode, base: BaseStat, basePath: BranchPath) => {
  const what: Array<Aspect> = []
  if (fileTypeOf(inode.mode) !== fileTypeOf(base.mode)) what.push("type")
  else if (!isSameContent(view, tree, inode, base, basePath)) what.push("content")
  // Of a symlink no mode can be set.
  if (!isSymlinkMode(inode.mode) && (inode.mode & mode) !== (base.mode & mode)) what.push("mode")
  // Others than root can give nothing away; what they did as root of a user namespace shows other ids here.
  if (process.geteuid?.() === 0 && (inode.uid !== base.uid || inode.gid !== base.gid)) what.push("owner")
  const isDirectory = isDirectoryMode(inode.mode)
  if (!isDirectory && (inode.mtime.sec !== base.mtime.sec || inode.mtime.nsec !== base.mtime.nsec)) what.push("times")
  if (!isSameXattrs(view, tree, inode.ino, basePath)) what.push("xattrs")
  return what
}

type Elsewhere = ReadonlyMap<U64, { readonly inode: StoredInode; readonly basePath: BranchPath }>

/**
 * Finds base files by other names than the one by which they were met. Looks through the whole base, and only for files with
 * several names that were changed and have lost that one.
 */
function* otherNames(view: BranchView, tree: ChangedTree, files: Elsewhere) {
  const left = new Map(files)
  for (const [ino, { basePath, inode }] of files) {
    const base = view.stat(basePath)
    if (base === undefined || base.nlink < 2 || aspects(view, tree, inode, base, basePath).length === 0)
      left.delete(ino)
  }
  if (left.size === 0) return
  for (const [basePath, base] of walkBase(view, "")) {
    const found = left.get(base.identity.ino)
    const path = found && base.identity.device === view.rootDevice ? tree.placeOf(basePath) : undefined
    if (found === undefined || path === undefined) continue
    left.delete(base.identity.ino)
    yield { base, basePath, inode: found.inode, path }
  }
}

/** The changes of a branch, by path, with the tree of its rows. */
export const findChanges = (view: BranchView): { readonly tree: ChangedTree; readonly changes: Array<FoundChange> } => {
  const tree = readChangedTree(view.db, view.rootDevice)
  const changes: Array<FoundChange> = []
  /** Base paths of what is found at another place now. */
  const moved = new Set<BranchPath>()
  const primary = new Map<number, BranchPath>()
  for (const origin of tree.origins.values()) {
    if (tree.isNamed(origin.ino) && tree.ownPath(origin) === undefined) moved.add(pathFromBytes(origin.path))
  }
  const changed = (
    kind: "changed" | "renamed",
    path: BranchPath,
    inode: StoredInode,
    basePath: BranchPath,
    base: BaseStat | undefined,
    covers: BranchPath | undefined
  ): void => {
    const what: ReadonlyArray<Aspect> = base === undefined ? ["content"] : aspects(view, tree, inode, base, basePath)
    if (kind === "renamed" || what.length > 0) changes.push({ kind, path, basePath, inode, base, covers, what })
  }

  for (const entry of tree.names) {
    const path = tree.pathOf(entry)
    if (path === undefined) continue
    const basePath = tree.basePathOf(entry)
    const base = basePath === undefined ? undefined : view.stat(basePath)
    const inode = tree.inodes.get(entry.ino)
    if (inode === undefined) {
      if (base !== undefined && basePath !== undefined && !moved.has(basePath))
        changes.push({ kind: "removed", path: basePath, basePath, inode: undefined, base, covers: undefined, what: [] })
      continue
    }
    const origin = tree.origins.get(inode.ino)
    const from = origin && pathFromBytes(origin.path)
    const covers = base !== undefined && basePath !== undefined && !moved.has(basePath) ? basePath : undefined
    if (from !== undefined && moved.has(from) && !primary.has(inode.ino)) {
      primary.set(inode.ino, path)
      changed("renamed", path, inode, from, view.stat(from), covers)
    } else if (covers !== undefined) changed("changed", path, inode, covers, base, covers)
    else changes.push({ kind: "added", path, basePath: undefined, inode, base: undefined, covers, what: [] })
  }

  /** Changed files that have lost the name by which they were met, and have others, by their number in the base. */
  const elsewhere = new Map<U64, { readonly inode: StoredInode; readonly basePath: BranchPath }>()
  const listed = new Set(changes.map(({ path }) => path))
  for (const origin of tree.origins.values()) {
    const inode = tree.inodes.get(origin.ino)
    const path = tree.ownPath(origin)
    const basePath = pathFromBytes(origin.path)
    if (inode === undefined) continue
    if (path !== undefined) {
      if (!listed.has(path)) changed("changed", path, inode, basePath, view.stat(basePath), undefined)
    } else if (inode.nlink > 0 && !tree.isNamed(inode.ino)) elsewhere.set(origin.identity.ino, { inode, basePath })
  }
  for (const { base, basePath, inode, path } of otherNames(view, tree, elsewhere))
    changed("changed", path, inode, basePath, base, undefined)
  changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  return { tree, changes }
}

/** A change as it is told. */
export const shownChange = ({ base, basePath, inode, kind, path, what }: FoundChange): Change => ({
  kind,
  path: path === "" ? "." : shownPath(path),
  ...(kind === "renamed" && basePath !== undefined ? { from: shownPath(basePath) } : {}),
  type: fileTypeOf(inode?.mode ?? base?.mode ?? 0),
  what
})
