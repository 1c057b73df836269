/**
 * The files that the kernel knows, as one of several isolates sees them: what must be the same for all is the addon's
 * (`SharedFiles`), each isolate has descriptors of its own. A node that another isolate met first is found by its handle, or else by its
 * path.
 */
import { errnoNumbers, type U64 } from "@bickford/protocol"
import { files, type SharedFiles } from "@bickford/transport"
import { type Attributes, type Identity, identityOf } from "../attributes.ts"
import { type FileHandles, handleRoom, makeFileHandles } from "../fileHandles.ts"
import { type Finder, makeFinder } from "../finder.ts"
import { makeHeldDescriptors } from "../heldDescriptors.ts"
import { checkedMost, folderBy, type Location, makeLocation } from "../location.ts"
import { Node } from "../node.ts"
import type { Nodes } from "../nodes.ts"
import { lowestDescriptor } from "../lowestDescriptor.ts"
import { pathRoom, pathTo, type PlaceOf } from "../wayTo.ts"

const { ESTALE } = errnoNumbers

const O_PATH = 0o10000000
const rootId = 1
/** Numbers are not used twice, so nothing tells them apart but the numbers. */
const generation = 0

const numberOf = (nodeid: U64): number => (typeof nodeid === "number" ? nodeid : 0)

/** File handles that are taken by one isolate, and used by all. */
const sharedHandles = (own: FileHandles, share: SharedFiles): FileHandles => {
  const room = new Uint8Array(handleRoom)
  return {
    open: (node) => {
      if (node.handle === undefined) {
        const length = share.handle_of(node.id, room)
        if (length > 0) node.handle = room.slice(0, length)
      }
      return own.open(node)
    },
    record: (node, fd) => {
      const isNew = node.handle === undefined
      const usable = own.record(node, fd)
      if (usable && isNew && node.handle !== undefined) share.record_handle(node.id, node.handle)
      return usable
    },
    close: own.close
  }
}

/** The nodes that this isolate has met. */
const makeKnownNodes = (root: Node, share: SharedFiles) => {
  const met = new Map<number, Node>([[rootId, root]])
  const words = new Uint32Array(7)
  const add = (id: number, identity: Identity): Node => {
    const node = new Node(id, generation, identity, undefined, "")
    met.set(id, node)
    return node
  }
  return {
    /** The node of that number, whose file was just looked at. */
    seen: (id: number, attributes: Attributes): Node => met.get(id) ?? add(id, attributes.identity()),
    get: (nodeid: U64): Node | undefined => {
      const id = numberOf(nodeid)
      const known = met.get(id)
      if (known !== undefined) return known
      return share.describe(id, words) < 0 ? undefined : add(id, identityOf(words))
    },
    /** Those that were forgotten since it was asked last, which are met no more. */
    forgotten: (): ReadonlyArray<Node> => {
      const ids = share.forgotten()
      if (typeof ids === "number") return []
      return ids.flatMap((id) => {
        const node = met.get(id)
        met.delete(id)
        return node ?? []
      })
    },
    all: (): Iterable<Node> => met.values()
  }
}

/** The descriptors of this isolate: another has others of the same nodes. */
const makeOwnDescriptors = (
  share: SharedFiles,
  finder: Finder,
  attributes: Attributes,
  limit: number,
  root: Node,
  lettingGo: (node: Node) => void
) => {
  /** By this the addon answers for the node (`answerer`). What lies on other filesystems has numbers that it does not know. */
  const tell = (node: Node, fd: number): void => {
    if (node.identity.device === root.identity.device) share.tell_descriptor(node.id, fd)
  }

  const letGo = (node: Node): boolean => {
    if (node.pinned || share.unopened(node.id) > 0 || share.take_used(node.id) === 1) return false
    // What is open is asked by its descriptor, wherever its name is meanwhile.
    const nlink = files.fs_stat(node.fd) < 0 ? 0 : attributes.nlink()
    if (!finder.remember(node, node.fd, nlink) && (nlink === 0 || share.opens(node.id) > 0)) return false
    lettingGo(node)
    tell(node, -1)
    share.let_go(node.fd)
    node.fd = -1
    return true
  }

  const held = makeHeldDescriptors(limit, root.identity.device, letGo)

  const hold = (node: Node, fd: number): void => {
    share.hold(fd)
    held.hold(node, fd)
    tell(node, fd)
  }

  return {
    held,
    /** Has the node hold a descriptor, which is closed with this isolate at the latest. */
    hold,
    descriptor: (node: Node): number => {
      if (node.fd >= 0) {
        held.use(node)
        return node.fd
      }
      const found = held.withRoom(() => finder.open(node))
      const fd = found < 0 ? held.withRoom(() => share.reopen(node.id)) : found
      if (fd < 0) return found
      hold(node, fd)
      return fd
    },
    /** The sweep takes it out of the holders. */
    drop: (node: Node): void => {
      tell(node, -1)
      if (node.fd >= 0) share.let_go(node.fd)
      node.fd = -1
      node.used = false
    },
    /** Takes the lowest descriptor that is free in place of the node's. */
    lower: (node: Node): number => {
      held.evict()
      const fd = lowestDescriptor(node.fd)
      if (fd === node.fd) return fd
      share.hold(fd)
      tell(node, fd)
      share.let_go(node.fd)
      node.fd = fd
      return fd
    }
  }
}

/** As `isReachable`, of a node that has a name. `descriptor` gives those of directories. */
const hasName = (
  from: Node,
  root: Node,
  share: SharedFiles,
  get: Nodes["get"],
  descriptor: (node: Node) => number
): boolean => {
  let at = from
  for (let checked = 0; at !== root && !at.pinned && checked < checkedMost; checked++) {
    const parent = get(share.parent_of(at.id))
    const folder = parent === undefined ? -ESTALE : descriptor(parent)
    if (parent === undefined || folder < 0 || share.is_in(at.id, folder) !== 1) return false
    at = parent
  }
  return true
}

/** As `folder`, which tells the addon what it has found out. */
const tellingFolder =
  (share: SharedFiles, folder: Nodes["folder"], location: Location): Nodes["folder"] =>
  (node) => {
    const before = node.beneathAt
    const fd = folder(node)
    if (node.beneathAt !== before) share.tell_beneath(node.id, Math.floor(location.beneathLeft(node)))
    return fd
  }

export const makeSharedNodes = (
  share: SharedFiles,
  rootFd: number,
  rootIdentity: Identity,
  attributes: Attributes,
  limit: number,
  lettingGo: (node: Node) => void,
  closeBacking: (id: number) => void
): Nodes => {
  const root = new Node(rootId, generation, rootIdentity, undefined, "")
  root.fd = rootFd
  // Closed with this isolate, however that ends.
  share.hold(rootFd)
  share.tell_descriptor(rootId, rootFd)
  const nodes = makeKnownNodes(root, share)
  const nameRoom = new Uint8Array(pathRoom)

  const known = (seen: Attributes): Node | undefined => {
    const id = share.find()
    return id > 0 ? nodes.seen(id, seen) : undefined
  }

  const placeOf: PlaceOf = (node) => ({
    parent: nodes.get(share.parent_of(node.id)),
    name: nameRoom.slice(0, Math.max(share.name_of(node.id, nameRoom), 0))
  })
  const location = makeLocation(root, rootFd, attributes, known, placeOf)
  const handles = sharedHandles(makeFileHandles(rootFd, rootIdentity.device, share), share)
  const finder = makeFinder(handles, location, attributes)

  const { descriptor, drop, held, hold, lower } = makeOwnDescriptors(share, finder, attributes, limit, root, lettingGo)

  const folder = tellingFolder(share, folderBy(root, location, descriptor), location)

  const dropForgotten = (): void => {
    if (share.has_forgotten() === 1) for (const node of nodes.forgotten()) drop(node)
  }

  return {
    root,
    get: nodes.get,
    look: (directory, name, parent) => {
      const id = share.look(directory, name, numberOf(parent), 1)
      return id > 0 ? nodes.seen(id, attributes) : id
    },
    moved: (directory, name, parent) => void share.look(directory, name, numberOf(parent), 0),
    adopt: (seen, fd, parent, name, lent = false) => {
      const node = nodes.seen(share.adopt(numberOf(parent), name), seen)
      if (node.fd >= 0) {
        if (!lent) files.fs_close(fd)
        return node
      }
      // Others find it by its handle only.
      const isFound = handles.record(node, fd)
      if (!lent) hold(node, fd)
      else if (!isFound) {
        const own = files.fs_open(fd, O_PATH, 0)
        if (own >= 0) hold(node, own)
      }
      return node
    },
    closing: () => undefined,
    descriptor,
    folder,
    isReachable: (node) =>
      node === root || share.parent_of(node.id) === 0 || hasName(node, root, share, nodes.get, descriptor),
    wasSentBack: (node, pid) => share.was_sent_back(node.id, pid) === 1,
    mayBeRemoved: (node) => share.was_removed(node.id) === 1,
    noteRemoved: (directory, name) => void share.note_removed(numberOf(directory), name),
    opens: (node) => share.opens(node.id),
    trim: () => {
      dropForgotten()
      held.trim()
    },
    evict: held.evict,
    withRoom: held.withRoom,
    lower,
    forget: (nodeid, nlookup) => {
      const backing = share.forget(numberOf(nodeid), nlookup)
      if (backing > 0) closeBacking(backing)
      dropForgotten()
    },
    pathOf: (node) => pathTo(root, node, placeOf),
    dropForgotten,
    held: held.count,
    invariants: () => {
      const wrong = share.invariants()
      return typeof wrong === "number" ? [] : wrong
    },
    close: () => {
      held.close()
      handles.close()
      share.close()
    }
  }
}
