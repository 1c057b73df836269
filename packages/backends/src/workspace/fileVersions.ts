/** The files of a branch that are not as they are in the base, each as it was and as it is: what a patch tells. */
import type { U64 } from "@bickford/protocol"
import { isSame } from "../passthrough/attributes.ts"
import { chunkSize } from "../sqlite/schema.ts"
import { type BranchPath, isAtOrBelow, pathFromBytes } from "./branchPath.ts"
import { type BaseStat, type BranchView, walkBase } from "./branchView.ts"
import type { ChangedTree, StoredInode } from "./changedTree.ts"
import { findChanges, type FoundChange } from "./diff.ts"
import { isDirectoryMode, isRegularMode, isSymlinkMode } from "./fileTypes.ts"
import { withContent } from "./storedContent.ts"

/** One state of a regular file or a symlink. */
export interface FileVersion {
  readonly path: BranchPath
  readonly mode: number
  readonly size: number
  /** The file's bytes, or the symlink's target. */
  readonly content: () => Buffer
}

/** A file before and after: undefined where there is none. */
export interface FileVersions {
  readonly before: FileVersion | undefined
  readonly after: FileVersion | undefined
}

const hasContent = (mode: number): boolean => isRegularMode(mode) || isSymlinkMode(mode)

const baseVersion = (view: BranchView, path: BranchPath, { mode, size }: BaseStat): FileVersion | undefined =>
  hasContent(mode)
    ? {
        path,
        mode,
        size,
        content: () =>
          isSymlinkMode(mode)
            ? Buffer.from(view.target(path))
            : Buffer.from(view.reading(path, (read) => read(0, size)))
      }
    : undefined

const storedBytes = (view: BranchView, tree: ChangedTree, inode: StoredInode): Buffer => {
  const bytes = Buffer.alloc(inode.size)
  withContent(view, tree, inode, ({ chunk, size }) => {
    for (let position = 0; position * chunkSize < size; position++)
      bytes.set(chunk(position) ?? [], position * chunkSize)
  })
  return bytes
}

const storedVersion = (
  view: BranchView,
  tree: ChangedTree,
  path: BranchPath,
  inode: StoredInode
): FileVersion | undefined =>
  hasContent(inode.mode)
    ? {
        path,
        mode: inode.mode,
        size: inode.size,
        content: () => (isSymlinkMode(inode.mode) ? Buffer.from(inode.target ?? []) : storedBytes(view, tree, inode))
      }
    : undefined

/** Base files with several names that have a row, by their number in the base: what one name shows, all of them do. */
type SharedInodes = ReadonlyMap<U64, StoredInode>

const sharedInodes = (view: BranchView, tree: ChangedTree): SharedInodes => {
  const shared = new Map<U64, StoredInode>()
  for (const { identity, ino, path } of tree.origins.values()) {
    const inode = tree.inodes.get(ino)
    if (inode === undefined || !isRegularMode(inode.mode)) continue
    const base = view.stat(pathFromBytes(path))
    if (base !== undefined && base.nlink > 1 && isSame(base.identity, identity)) shared.set(identity.ino, inode)
  }
  return shared
}

/** A base file by one of its own names, which may be at another place now; undefined where that name was taken from it. */
const byOwnName = (
  view: BranchView,
  tree: ChangedTree,
  shared: SharedInodes,
  path: BranchPath,
  stat: BaseStat
): FileVersions | undefined => {
  const place = tree.placeOf(path)
  const before = place === undefined ? undefined : baseVersion(view, path, stat)
  if (before === undefined || place === undefined) return undefined
  const inode = shared.get(stat.identity.ino)
  return { before, after: inode === undefined ? { ...before, path: place } : storedVersion(view, tree, place, inode) }
}

/** A base directory that is gone: each file in it that is at no other place is gone. */
function* removedWithin(
  view: BranchView,
  directory: BranchPath,
  moved: ReadonlyArray<BranchPath>
): Generator<FileVersions> {
  // What moved from above it went without it.
  const rescued = moved.filter((place) => isAtOrBelow(place, directory))
  for (const [path, stat] of walkBase(view, directory)) {
    if (rescued.some((place) => isAtOrBelow(path, place))) continue
    const before = baseVersion(view, path, stat)
    if (before !== undefined) yield { before, after: undefined }
  }
}

function* versionsOf(
  view: BranchView,
  tree: ChangedTree,
  { base, basePath, covers, inode, kind, path }: FoundChange,
  moved: ReadonlyArray<BranchPath>
): Generator<FileVersions> {
  const own = basePath === undefined || base === undefined ? undefined : baseVersion(view, basePath, base)
  const after = inode && storedVersion(view, tree, path, inode)
  const isRename = kind === "renamed" || (kind === "changed" && basePath !== path)
  // Another file takes the place of one of the base.
  const covered = covers === undefined || covers === basePath ? undefined : view.stat(covers)
  if (covered !== undefined && covers !== undefined && (isRename || isDirectoryMode(covered.mode)))
    yield* removedWithin(view, covers, moved)
  if (kind === "removed") {
    if (basePath !== undefined) yield* removedWithin(view, basePath, moved)
  } else if (base !== undefined && isDirectoryMode(base.mode) && inode !== undefined && !isDirectoryMode(inode.mode)) {
    if (basePath !== undefined) yield* removedWithin(view, basePath, moved)
    yield { before: undefined, after }
  } else if (own !== undefined || after !== undefined) yield { before: own, after }
}

/** The files that a branch has changed: each name of a file by itself, as git has them. */
export function* fileVersions(view: BranchView): Generator<FileVersions> {
  const { changes, tree } = findChanges(view)
  const shared = sharedInodes(view, tree)
  const moved = changes.flatMap(({ basePath, kind }) =>
    kind === "renamed" && basePath !== undefined ? [basePath] : []
  )
  const told = new Set(changes.flatMap(({ basePath }) => (basePath === undefined ? [] : [basePath])))
  /** Each file at and below a base path that was not told of. */
  function* others(from: BranchPath, isWanted: (stat: BaseStat) => boolean): Generator<FileVersions> {
    for (const [path, stat] of walkBase(view, from)) {
      if (isDirectoryMode(stat.mode) || told.has(path) || !isWanted(stat)) continue
      const versions = byOwnName(view, tree, shared, path, stat)
      if (versions === undefined) continue
      told.add(path)
      yield versions
    }
  }
  for (const change of changes) {
    yield* versionsOf(view, tree, change, moved)
    if (change.kind === "renamed" && change.basePath !== undefined && isDirectoryMode(change.inode?.mode ?? 0))
      yield* others(change.basePath, () => true)
  }
  if (shared.size > 0) yield* others("", ({ identity }) => shared.has(identity.ino))
}
