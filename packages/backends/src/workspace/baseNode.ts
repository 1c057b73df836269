/** One file of the base directory that the branch has met. */
import { type Name, nameKey, type Timespec, type U64 } from "@bickford/protocol"
import type { Identity } from "../passthrough/attributes.ts"
import type { Inode } from "../posix/inode.ts"

/** What tells one state of a file from another. */
export interface Version {
  readonly size: U64
  readonly mtime: Timespec
  readonly ctime: Timespec
}

const isSameTime = (one: Timespec, other: Timespec): boolean => one.nsec === other.nsec && one.sec === other.sec

export const isSameVersion = (one: Version, other: Version): boolean =>
  one.size === other.size && isSameTime(one.mtime, other.mtime) && isSameTime(one.ctime, other.ctime)

const nothing = { mode: 0, uid: 0, gid: 0, blocks: 0 }

export class BaseNode {
  /** Its number here: the node id, and what stat(2) shows. */
  readonly ino: number
  readonly identity: Identity
  /** Where it was seen last; the root has no parent. */
  parent: BaseNode | undefined
  name: Name
  /** Of a file with several names: by which it was seen before, the latest first. */
  otherNames: ReadonlyArray<{ readonly parent: BaseNode; readonly name: Name }> = []
  /** The inode that stands for it while it has no row. */
  inode: Inode | undefined = undefined
  /** As it was seen last while it had no row. */
  version: Version | undefined = undefined
  below: { readonly mode: number; readonly uid: number; readonly gid: number; readonly blocks: number } = nothing
  /** Milliseconds, by the monotonic clock, of the last time that it was seen where it is. */
  seenAt = Number.NEGATIVE_INFINITY
  /** The kernel may hold it, whatever becomes of the inode that stands for it. */
  known = false
  /** Its last name was removed here, and nobody holds it. */
  removed = false
  /** When its last name was removed here, while the kernel holds it and it has no row. */
  unlinkedAt: Timespec | undefined = undefined
  /** Of a directory (O_PATH), or of a file to read; -1 while none is held. */
  fd = -1
  /** Milliseconds at which the descriptor was opened. */
  openedAt = Number.NEGATIVE_INFINITY

  constructor(ino: number, identity: Identity, parent: BaseNode | undefined, name: Name) {
    this.ino = ino
    this.identity = identity
    this.parent = parent
    this.name = name
  }
}

/** Names that a node remembers beside the one by which it was seen last. */
const otherNamesMax = 16

/** Notes under which name a node is seen now; false when that is known. */
export const noteName = (node: BaseNode, parent: BaseNode, name: Name): boolean => {
  const key = nameKey(name)
  if (node.parent === parent && nameKey(node.name) === key) return false
  const others = node.otherNames.filter((other) => other.parent !== parent || nameKey(other.name) !== key)
  if (node.parent !== undefined) others.unshift({ parent: node.parent, name: node.name })
  node.otherNames = others.slice(0, otherNamesMax)
  node.parent = parent
  node.name = name
  return true
}

const slash = Buffer.from("/")

const bytesOf = (name: Name): Uint8Array => (typeof name === "string" ? Buffer.from(name) : name)

/** The path of a file from the base directory on; empty for that itself. */
export const pathOf = (node: BaseNode): Uint8Array => {
  const parts: Array<Uint8Array> = []
  for (let at = node; at.parent !== undefined; at = at.parent) {
    if (parts.length > 0) parts.push(slash)
    parts.push(bytesOf(at.name))
  }
  return Buffer.concat(parts.reverse())
}
