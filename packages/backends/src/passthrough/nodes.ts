/**
 * The files that the kernel knows, by node id. Each is held by a descriptor (O_PATH) while there are not too
 * many; the others are found again by their handles, where open_by_handle_at(2) may be called (CAP_DAC_READ_SEARCH),
 * or else by their paths. A file is told by filesystem, inode number and birth, so that hard links are one node and a
 * rename changes none.
 */
import { errnoNumbers, type Name, type U64 } from "@bickford/protocol"
import { files } from "@bickford/transport"
import { type Attributes, type Identity, isSame } from "./attributes.ts"
import { makeFileHandles } from "./fileHandles.ts"
import { makeFinder } from "./finder.ts"
import { makeHeldDescriptors } from "./heldDescriptors.ts"
import { invariantsOf } from "./invariants.ts"
import { makeLocation } from "./location.ts"
import type { Node } from "./node.ts"
import { NodeTable } from "./nodeTable.ts"

export type { Node } from "./node.ts"

const { ESTALE } = errnoNumbers

const O_PATH = 0o10000000

export interface Nodes {
  readonly root: Node
  readonly get: (nodeid: U64) => Node | undefined
  /** The node of the file that `seen` is of, if there is one. */
  readonly known: (seen: Attributes) => Node | undefined
  /** Takes the descriptor, or only notes one that stays open (`lent`); the node of the file, which may have been known. */
  readonly adopt: (fd: number, identity: Identity, parent: Node | undefined, name: Name, lent?: boolean) => Node
  /** A descriptor with which the file was open is about to be closed. Returns the file's size, where the file was looked at for it. */
  readonly closing: (node: Node, fd: number) => U64 | undefined
  /** The node's descriptor, or a negative errno. It stays for the operation at hand. */
  readonly descriptor: (node: Node) => number
  /** As `descriptor`, of a directory that is beneath the root. */
  readonly folder: (node: Node) => number
  /** Whether the node, and the directories above it, still have the names by which they were last seen. */
  readonly hasName: (node: Node) => boolean
  /** Lets descriptors go when there are too many; at the beginning of an operation. */
  readonly trim: () => void
  /** Lets all descriptors go that the operation at hand does not use: how many. For when the process has no more of them. */
  readonly evict: () => number
  /** Runs what opens a descriptor; again, when there was none left and some could be let go. */
  readonly withRoom: (open: () => number) => number
  /** Gives the descriptor that the node holds the lowest number that is free, after `evict`: the number. */
  readonly lower: (node: Node) => number
  readonly forget: (nodeid: U64) => void
  readonly held: () => number
  /** What is wrong, a sentence each. */
  readonly invariants: () => ReadonlyArray<string>
  readonly close: () => void
}

/** Gives the node's descriptor the lowest number that is free: the number. */
const lowerDescriptor = (node: Node): number => {
  const fd = files.fs_duplicate(node.fd)
  if (fd > node.fd) files.fs_close(fd)
  if (fd < 0 || fd > node.fd) return node.fd
  files.fs_close(node.fd)
  node.fd = fd
  return fd
}

const knownIn = (table: NodeTable, seen: Attributes): Node | undefined => {
  const node = table.find(seen.device(), seen.ino())
  return node !== undefined && (node.fd >= 0 || node.lent >= 0 || node.identity.birth === seen.birth())
    ? node
    : undefined
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
  const location = makeLocation(root, rootFd, attributes, known)
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

  return {
    root,
    get: (nodeid) => table.get(nodeid),
    known,
    adopt: (fd, identity, parent, name, lent = false) => {
      const found = table.find(identity.device, identity.ino)
      const isKnown = found !== undefined && isSame(found.identity, identity)
      const node = isKnown ? found : table.add(identity, parent, name)
      if (lent) node.lent = fd
      else if (node.fd < 0) held.hold(node, fd)
      else files.fs_close(fd)
      node.parent = parent
      node.name = name
      return node
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
    folder: (node) => {
      const fd = descriptor(node)
      return fd < 0 || node === root || location.isBeneath(node, fd) ? fd : -ESTALE
    },
    hasName: (node) => location.hasName(node, descriptor),
    trim: held.trim,
    evict: held.evict,
    withRoom: held.withRoom,
    lower: (node) => {
      held.evict()
      return lowerDescriptor(node)
    },
    forget: (nodeid) => {
      const node = table.get(nodeid)
      if (node === undefined || node === root) return
      table.remove(node)
      lettingGo(node)
      // The sweep takes it out of the holders.
      if (node.fd >= 0) files.fs_close(node.fd)
      node.fd = -1
      node.used = false
    },
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
