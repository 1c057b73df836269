/** What an operation has changed in memory so far, so that it can be undone when a row is missing or the operation fails. */
import type { Inode } from "../posix/inode.ts"

/** The fields of an inode that operations change. */
const copyOf = ({ atime, blocks, ctime, gid, mode, mtime, nlink, size, uid }: Inode) => ({
  atime,
  blocks,
  ctime,
  gid,
  mode,
  mtime,
  nlink,
  size,
  uid
})
type Copy = ReturnType<typeof copyOf>

const isSame = (inode: Inode, copy: Copy): boolean =>
  inode.atime === copy.atime &&
  inode.blocks === copy.blocks &&
  inode.ctime === copy.ctime &&
  inode.gid === copy.gid &&
  inode.mode === copy.mode &&
  inode.mtime === copy.mtime &&
  inode.nlink === copy.nlink &&
  inode.size === copy.size &&
  inode.uid === copy.uid

export interface Journal {
  /** Begins an operation that may change what it finds. */
  readonly begin: () => void
  /** An inode is handed to the operation, which may change it. */
  readonly found: (inode: Inode) => void
  /** Something was changed, and is changed back by `undo`. */
  readonly note: (undo: () => void) => void
  /** Something was changed that cannot be changed back: no row may be missing from now on. */
  readonly pin: () => void
  /** Something is to be done that cannot be changed back, once the operation has succeeded; now, when there is none. */
  readonly later: (step: () => void) => void
  /** The inodes that the operation has changed so far. */
  readonly changed: () => ReadonlyArray<Inode>
  /** Ends the operation, and returns the inodes that it has changed. */
  readonly settle: () => ReadonlyArray<Inode>
  /** Undoes the operation; false when that cannot be. */
  readonly undo: () => boolean
}

export const makeJournal = (): Journal => {
  let copies: Map<Inode, Copy> | undefined
  let undos: Array<() => void> = []
  let steps: Array<() => void> = []
  let pinned = false
  const changed = (): ReadonlyArray<Inode> => {
    const found: Array<Inode> = []
    for (const [inode, copy] of copies ?? []) if (!isSame(inode, copy)) found.push(inode)
    return found
  }
  const end = (): void => {
    copies = undefined
    undos = []
    steps = []
    pinned = false
  }
  return {
    begin: () => {
      end()
      copies = new Map()
    },
    found: (inode) => {
      if (copies !== undefined && !copies.has(inode)) copies.set(inode, copyOf(inode))
    },
    note: (undo) => {
      if (copies !== undefined) undos.push(undo)
    },
    pin: () => {
      if (copies !== undefined) pinned = true
    },
    later: (step) => {
      if (copies === undefined) step()
      else steps.push(step)
    },
    changed,
    settle: () => {
      const found = changed()
      const left = steps
      end()
      for (const step of left) step()
      return found
    },
    undo: () => {
      const possible = !pinned
      for (const undo of undos.reverse()) undo()
      for (const [inode, copy] of copies ?? []) Object.assign(inode, copy)
      end()
      return possible
    }
  }
}
