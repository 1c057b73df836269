/** READDIR and READDIRPLUS. */
import type { Dirent, DirentPlus, U64 } from "@bickford/protocol"
import { type Backend, Errno } from "@bickford/session"
import * as Exit from "effect/Exit"
import { type Directory, dotDotOff, dotOff, type Filesystem, type Listed } from "./filesystem.ts"
import type { Inode } from "./inode.ts"
import { O_NOATIME, S_IFDIR } from "./linux.ts"

const directoryType = S_IFDIR >>> 12

const dots = (inode: Inode, parent: Inode, offset: U64): ReadonlyArray<DirentPlus> => {
  const entries: Array<DirentPlus> = []
  if (offset < dotOff) entries.push({ ino: inode.ino, off: dotOff, type: directoryType, name: ".", entry: undefined })
  if (offset < dotDotOff)
    entries.push({ ino: parent.ino, off: dotDotOff, type: directoryType, name: "..", entry: undefined })
  return entries
}

function* list(inode: Inode, directory: Directory, offset: U64): Generator<Dirent, void, undefined> {
  if (inode.nlink === 0) return
  if (offset < dotDotOff) yield* dots(inode, directory.parent, offset)
  yield* directory.after(offset)
}

function* listPlus(inode: Inode, directory: Directory, offset: U64): Generator<DirentPlus, void, undefined> {
  if (inode.nlink === 0) return
  if (offset < dotDotOff) yield* dots(inode, directory.parent, offset)
  for (const entry of directory.after(offset)) {
    hold(entry)
    yield entry
  }
}

// One entry more is taken than fits. To think that the kernel holds it does no harm: to remove it, the
// kernel looks it up, and so will forget it.
const hold = ({ entry }: Listed): void => {
  if (entry !== undefined) entry.known = true
}

export const listingOperations = (fs: Filesystem): Required<Pick<Backend, "readdir" | "readdirplus">> => ({
  readdir: ({ flags, nodeid, offset }) => {
    const inode = fs.node(nodeid)
    if (inode === undefined) return Errno.ESTALE
    const directory = fs.directory(inode)
    if (directory === undefined) return Errno.ENOTDIR
    if ((flags & O_NOATIME) === 0) fs.accessed(inode)
    return Exit.succeed(list(inode, directory, offset))
  },
  readdirplus: ({ flags, nodeid, offset }) => {
    const inode = fs.node(nodeid)
    if (inode === undefined) return Errno.ESTALE
    const directory = fs.directory(inode)
    if (directory === undefined) return Errno.ENOTDIR
    if ((flags & O_NOATIME) === 0) fs.accessed(inode)
    return Exit.succeed(listPlus(inode, directory, offset))
  }
})
