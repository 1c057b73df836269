/**
 * The files that the kernel knows, by node id. Each is held by a descriptor (O_PATH) while there are not too
 * many; the others are found again by their handles, where open_by_handle_at(2) may be called (CAP_DAC_READ_SEARCH),
 * or else by their paths. A file is told by filesystem, inode number and birth, so that hard links are one node and a
 * rename changes none.
 */
import type { Name, U64 } from "@bickford/protocol"
import { files } from "@bickford/transport"
import { type Attributes, type Identity, isSame } from "./attributes.ts"
import { makeFileHandles } from "./fileHandles.ts"
import { makeFinder } from "./finder.ts"
import { makeHeldDescriptors } from "./heldDescriptors.ts"
import { invariantsOf } from "./invariants.ts"
import { checkedMost, folderBy, makeLocation } from "./location.ts"
import { lowestDescriptor } from "./lowestDescriptor.ts"
import type { Node } from "./node.ts"
import { NodeTable } from "./nodeTable.ts"
import { pathTo } from "./wayTo.ts"

export type { Node } from "./node.ts"

const O_PATH = 0o10000000

export interface Nodes {
  readonly root: Node
  readonly get: (nodeid: U64) => Node | undefined
  /**
   * Looks at a name in an open directory, whose node is `parent`; fills the attributes. The node of its file, which is answered to the
   * kernel; 0 when that has none yet; or a negative errno.
   */
  readonly look: (folder: number, name: Name, parent: U64) => Node | number
  /** Notes that the file which has a name now was moved there. Fills the attributes. */
  readonly moved: (folder: number, name: Name, parent: U64) => void
  /**
   * The node, which may have been known, of the file that `seen` is of: it is answered to the kernel. Takes the descriptor, or only notes
   * one that stays open (`lent`).
   */
  readonly adopt: (seen: Attributes, fd: number, parent: U64, name: Name, lent?: boolean) => Node
  /** A descriptor with which the file was open is about to be closed. Returns the file's size, where the file was looked at for it. */
  readonly closing: (node: Node, fd: number) => U64 | undefined
  /** The node's descriptor, or a negative errno. It stays for the operation at hand. */
  readonly descriptor: (node: Node) => number
  /** As `descriptor`, of a directory that is beneath the root. */
  readonly folder: (node: Node) => number
  /** Whether the node, and a few of the directories above it, still have the names by which they were last seen, if it has one at all. */
  readonly isReachable: (node: Node) => boolean
  /** Whether that thread has been noted with the node, and takes it back; it notes it otherwise. */
  readonly wasSentBack: (node: Node, pid: number) => boolean
  /** Whether the name by which it was last seen may have been removed through the mount. */
  readonly mayBeRemoved: (node: Node) => boolean
  /** A name was removed from a directory through the mount, or replaced in it. */
  readonly noteRemoved: (directory: U64, name: Name) => void
  /** How many have it open. */
  readonly opens: (node: Node) => number
  /** Lets descriptors go when there are too many; at the beginning of an operation. */
  readonly trim: () => void
  /** Lets all descriptors go that the operation at hand does not use: how many. For when the process has no more of them. */
  readonly evict: () => number
  /** Runs what opens a descriptor; again, when there was none left and some could be let go. */
  readonly withRoom: (open: () => number) => number
  /** Gives the descriptor that the node holds the lowest number that is free, after `evict`: the number. */
  readonly lower: (node: Node) => number
  /** The kernel has taken lookups back; `left` is what it has by the session's count. */
  readonly forget: (nodeid: U64, nlookup: number, left: number) => void
  /** The path within the mount, by the names that were last seen; undefined where they do not lead from the root. */
  readonly pathOf: (node: Node) => Uint8Array | undefined
  /** Lets go what was forgotten by the word of another isolate. */
  readonly dropForgotten: () => void
  readonly held: () => number
  /** What is wrong, a sentence each. */
  readonly invariants: () => ReadonlyArray<string>
  readonly close: () => void
}

/** Gives the node's descriptor the lowest number that is free: the number. */
const lowerDescriptor = (node: Node): number => {
  const fd = lowestDescriptor(node.fd)
  if (fd !== node.fd) files.fs_close(node.fd)
  node.fd = fd
  return fd
}

/** Where nodes are seen. */
const makeSightings = (table: NodeTable, attributes: Attributes): Pick<Nodes, "look" | "moved"> & Sightings => {
  const see = (node: Node, parent: U64, name: Name): Node => {
    node.parent = table.get(parent)
    node.name = name
    return node
  }
  return {
    see,
    look: (folder, name, parent) => {
      const status = files.fs_look(folder, name)
      if (status < 0) return status
      const node = knownIn(table, attributes)
      return node === undefined ? 0 : see(node, parent, name)
    },
    moved: (folder, name, parent) => {
      const node = files.fs_look(folder, name) < 0 ? undefined : knownIn(table, attributes)
      if (node !== undefined) see(node, parent, name)
    }
  }
}

interface Sightings {
  /** Notes where the node was seen: the node. */
  readonly see: (node: Node, parent: U64, name: Name) => Node
}

/** As `isReachable`, of a node that has a name. `descriptor` gives those of directories. */
const hasName = (from: Node, root: Node, attributes: Attributes, descriptor: (node: Node) => number): boolean => {
  let at = from
  // By its name, what is pinned is another file.
  for (let checked = 0; at !== root && !at.pinned && checked < checkedMost; checked++) {
    const { identity, name, parent } = at
    if (parent === undefined || name === "") return false
    const folder = descriptor(parent)
    if (folder < 0 || files.fs_look(folder, name) < 0 || !isSame(attributes.identity(), identity)) return false
    at = parent
  }
  return true
}

/** The node of the file that `seen` is of, if there is one. */
const knownIn = (table: NodeTable, seen: Attributes): Node | undefined => {
  const node = table.find(seen.device(), seen.ino())
  return node !== undefined && (node.fd >= 0 || node.lent >= 0 || node.identity.birth === seen.birth())
    ? node
    : undefined
}

/** Names that a directory's node remembers as removed. */
const removedMost = 64

const noteRemoved = (directory: Node | undefined, name: Name): void => {
  if (directory === undefined) return
  if (directory.removedNames === undefined || directory.removedNames.size >= removedMost)
    directory.removedNames = new Set()
  directory.removedNames.add(name)
}

/** What a node itself knows. */
const answersOf: Pick<Nodes, "mayBeRemoved" | "opens" | "wasSentBack"> = {
  mayBeRemoved: ({ name, parent }) => parent?.removedNames?.has(name) === true,
  opens: (node) => node.opens,
  wasSentBack: (node, pid) => {
    if (node.sentBack?.delete(pid) === true) return true
    node.sentBack = (node.sentBack ?? new Set()).add(pid)
    return false
  }
}

export const makeNodes = (
  rootFd: number,
  rootIdentity: Identity,
  attributes: Attributes,
  limit: number,
  lettingGo: (node: Node) => void
): Nodes => {
  const table = new NodeTable(rootFd, rootIdentity)
  const { root } = table

  const known = (seen: Attributes): Node | undefined => knownIn(table, seen)
  const location = makeLocation(root, rootFd, attributes, known, (node) => node)
  const finder = makeFinder(makeFileHandles(rootFd, rootIdentity.device), location, attributes)

  /** Whether the node needs no descriptor any more: it can be found again, or at least looked for. */
  const letGo = (node: Node): boolean => {
    if (node.pinned || node.unopened > 0) return false
    const nlink = files.fs_stat(node.fd) < 0 ? 0 : attributes.nlink()
    // What is open is asked by its descriptor, wherever its name is meanwhile.
    if (!finder.remember(node, node.fd, nlink) && (nlink === 0 || node.opens > 0)) return false
    lettingGo(node)
    files.fs_close(node.fd)
    node.fd = -1
    return true
  }

  const held = makeHeldDescriptors(limit, rootIdentity.device, letGo)

  const descriptor = (node: Node): number => {
    if (node.fd < 0 && node.lent >= 0) return node.lent
    if (node.fd < 0) {
      const fd = held.withRoom(() => finder.open(node))
      if (fd >= 0) held.hold(node, fd)
      return fd
    }
    held.use(node)
    return node.fd
  }

  const { look, moved, see } = makeSightings(table, attributes)

  return {
    root,
    get: (nodeid) => table.get(nodeid),
    look,
    moved,
    noteRemoved: (directory, name) => noteRemoved(table.get(directory), name),
    adopt: (seen, fd, parent, name, lent = false) => {
      const identity = seen.identity()
      const found = table.find(identity.device, identity.ino)
      const isKnown = found !== undefined && isSame(found.identity, identity)
      const node = isKnown ? found : table.add(identity, table.get(parent), name)
      if (lent) node.lent = fd
      else if (node.fd < 0) held.hold(node, fd)
      else files.fs_close(fd)
      return see(node, parent, name)
    },
    closing: (node, fd) => {
      if (node.lent !== fd) return undefined
      node.lent = -1
      if (node.fd >= 0 || table.get(node.id) !== node) return undefined
      const seen = files.fs_stat(fd) < 0 ? undefined : attributes
      const size = seen?.size()
      const own = finder.remember(node, fd, seen?.nlink() ?? 0) ? -1 : files.fs_open(fd, O_PATH, 0)
      if (own >= 0) held.hold(node, own)
      return size
    },
    descriptor,
    folder: folderBy(root, location, descriptor),
    isReachable: (node) => node === root || node.name === "" || hasName(node, root, attributes, descriptor),
    ...answersOf,
    trim: held.trim,
    evict: held.evict,
    withRoom: held.withRoom,
    lower: (node) => {
      held.evict()
      return lowerDescriptor(node)
    },
    forget: (nodeid, _nlookup, left) => {
      const node = table.get(nodeid)
      if (left > 0 || node === undefined || node === root) return
      table.remove(node)
      lettingGo(node)
      // The sweep takes it out of the holders.
      if (node.fd >= 0) files.fs_close(node.fd)
      node.fd = -1
      node.used = false
    },
    pathOf: (node) => pathTo(root, node, (at) => at),
    dropForgotten: () => {},
    held: held.count,
    invariants: () => invariantsOf(table, held.count()),
    close: () => {
      held.close()
      for (const node of table.all()) if (node.fd >= 0) files.fs_close(node.fd)
      table.clear()
      finder.close()
    }
  }
}
