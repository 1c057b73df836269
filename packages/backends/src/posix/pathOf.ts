/** The path of a node, for a log line: looked for in the directories, since inodes do not know their names. */
import { type Name, nameFromBytes, nameToBytes, type U64 } from "@bickford/protocol"
import { dotDotOff, type Filesystem } from "./filesystem.ts"
import { type Inode, isDirectory } from "./inode.ts"

const rootId = 1
/** Names that are looked at, in all: a line of a log is not worth more, and the next request waits meanwhile. */
const namesMost = 100_000

const joined = (names: ReadonlyArray<Name>): Name => {
  const slash = Buffer.from("/")
  return nameFromBytes(Buffer.concat(names.flatMap((name) => [slash, nameToBytes(name)])))
}

/** What is left of the names to look at. */
interface Budget {
  left: number
}

/** The name that a directory has for an inode. */
const nameIn = (fs: Filesystem, parent: Inode, ino: U64, budget: Budget): Name | undefined => {
  for (const entry of fs.directory(parent)?.after(dotDotOff) ?? []) {
    if (budget.left-- <= 0) return undefined
    if (entry.ino === ino) return entry.name
  }
  return undefined
}

/** The names from the root to a directory. */
const climb = (fs: Filesystem, from: Inode, budget: Budget): ReadonlyArray<Name> | undefined => {
  const names: Array<Name> = []
  for (let at = from; at.ino !== rootId;) {
    const parent = fs.directory(at)?.parent
    const name = parent && nameIn(fs, parent, at.ino, budget)
    if (parent === undefined || name === undefined) return undefined
    names.unshift(name)
    at = parent
  }
  return names
}

/** The names from the root to what is no directory: each directory is looked through, those at the top first. */
const search = (fs: Filesystem, ino: U64, budget: Budget): ReadonlyArray<Name> | undefined => {
  const root = fs.node(rootId)
  const directories = root === undefined ? [] : [root]
  for (const parent of directories) {
    for (const listed of fs.directory(parent)?.after(dotDotOff) ?? []) {
      if (budget.left-- <= 0) return undefined
      if (listed.ino === ino) {
        const above = climb(fs, parent, budget)
        return above && [...above, listed.name]
      }
      const { entry } = listed
      if (entry !== undefined && isDirectory(entry)) directories.push(entry)
    }
  }
  return undefined
}

/** The names from the root to what is no directory, which lies in the directory `parent`. */
const below = (
  fs: Filesystem,
  ino: U64,
  parent: number | undefined,
  budget: Budget
): ReadonlyArray<Name> | undefined => {
  const directory = parent === undefined ? undefined : fs.node(parent)
  const name = directory && nameIn(fs, directory, ino, budget)
  const above = directory && climb(fs, directory, budget)
  return name === undefined || above === undefined ? undefined : [...above, name]
}

/**
 * A node's path within the mount; undefined where it has none, or too much would have to be read to find it. `parentOf`, where
 * there is something that knows it, gives the node id of a directory that a file lies in; without it all are looked through.
 */
export const pathOf =
  (fs: Filesystem, parentOf?: (ino: number) => number | undefined) =>
  (nodeid: U64): Name | undefined => {
    const inode = fs.node(nodeid)
    if (inode === undefined) return undefined
    const budget = { left: namesMost }
    const names = isDirectory(inode)
      ? climb(fs, inode, budget)
      : parentOf === undefined
        ? search(fs, inode.ino, budget)
        : below(fs, inode.ino, parentOf(inode.ino), budget)
    if (names === undefined) return undefined
    return names.length === 0 ? "/" : joined(names)
  }
