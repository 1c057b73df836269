/**
 * The files that the kernel knows, by node id. Each is held by a descriptor (O_PATH) while there are not too
 * many; the others are found again by their handles, where open_by_handle_at(2) may be called (CAP_DAC_READ_SEARCH),
 * or else by their paths. A file is told by filesystem, inode number and birth, so that hard links are one node and a
 * rename changes none.
 */
import { errnoNumbers, type Name, type U64 } from "@bickford/protocol"
import { files } from "@bickford/transport"
import { type Attributes, type Identity, isSame } from "./attributes.ts"
import { makeLocation } from "./location.ts"
import { Node } from "./node.ts"

export type { Node } from "./node.ts"

const { ELOOP, EMFILE, ENOENT, ENOTDIR, EPERM, ESTALE } = errnoNumbers

const O_PATH = 0o10000000
const O_DIRECTORY = 0o200000
const rootId = 1
const handleRoom = 132

/** Milliseconds after which a descriptor of a filesystem below, which nobody uses, is let go; at most twice as many. */
const idleAfter = 1000

export interface Nodes {
  readonly root: Node
  readonly get: (nodeid: U64) => Node | undefined
  /** The node of the file that was just looked at, if there is one. */
  readonly known: () => Node | undefined
  /** Takes the descriptor, or only notes one that stays open (`lent`); the node of the file, which may have been known. */
  readonly adopt: (fd: number, identity: Identity, parent: Node | undefined, name: Name, lent?: boolean) => Node
  /** A descriptor with which the file was open is about to be closed. Whether the file has just been looked at for it. */
  readonly closing: (node: Node, fd: number) => boolean
  /** The node's descriptor, or a negative errno. It stays for the operation at hand. */
  readonly descriptor: (node: Node) => number
  /** As `descriptor`, of a folder that is beneath the root. */
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
  readonly close: () => void
}

export const makeNodes = (
  rootFd: number,
  rootIdentity: Identity,
  attributes: Attributes,
  limit: number,
  lettingGo: (node: Node) => void
): Nodes => {
  const root = new Node(rootId, 0, rootIdentity, undefined, "")
  root.fd = rootFd
  const byId: Array<Node | undefined> = [undefined, root]
  const free: Array<number> = []
  let generation = 0
  const ofRoot = new Map<U64, Node>([[rootIdentity.ino, root]])
  const byDevice = new Map<number, Map<U64, Node>>([[rootIdentity.device, ofRoot]])
  /** Those that hold a descriptor which may be let go. */
  const holders: Array<Node> = []
  let hand = 0
  const room = new Uint8Array(handleRoom)
  // What open_by_handle_at takes is a descriptor that is not O_PATH.
  const mount = files.fs_open(rootFd, O_DIRECTORY, 0)

  const known = (): Node | undefined => {
    const device = attributes.device()
    const node = (device === rootIdentity.device ? ofRoot : byDevice.get(device))?.get(attributes.ino())
    return node !== undefined && (node.fd >= 0 || node.lent >= 0 || node.identity.birth === attributes.birth())
      ? node
      : undefined
  }

  const location = makeLocation(root, rootFd, attributes, known)

  /** Whether a file is found by its handle: the root is. Where that is not allowed, nothing tells before it is tried. */
  const findsByHandle = (): boolean => {
    if (mount < 0) return false
    const length = files.fs_handle_of(rootFd, room)
    const fd = length < 0 ? length : files.fs_open_handle(mount, room.subarray(0, length))
    if (fd >= 0) files.fs_close(fd)
    return fd >= 0
  }
  let handles = findsByHandle()

  /** Counts operations, roughly: what one of them uses stays for it. */
  let operation = 0

  /** The counter of operations as it was when what is idle was looked for last. */
  let operationBefore = 0
  let idleTimer: NodeJS.Timeout | undefined

  /** A descriptor keeps the filesystem that its file is on from being unmounted: those of filesystems below are let go soon. */
  const letIdleGo = (): void => {
    idleTimer = undefined
    let left = false
    for (const node of holders) {
      if (node.fd < 0 || node.pinned || node.identity.device === rootIdentity.device) continue
      if (node.operation > operationBefore || !letGo(node)) left = true
    }
    operationBefore = operation
    if (left) watchIdle()
  }

  const watchIdle = (): void => {
    idleTimer ??= setTimeout(letIdleGo, idleAfter).unref()
  }

  const hold = (node: Node, fd: number): void => {
    if (node.identity.device !== rootIdentity.device) watchIdle()
    node.fd = fd
    node.used = true
    node.operation = operation
    holders.push(node)
  }

  /** A descriptor of the file that is found in the node's place, which may be another one; or a negative errno. */
  const find = (node: Node): number => {
    const fd = handles && node.handle !== undefined ? files.fs_open_handle(mount, node.handle) : -EPERM
    if (fd !== -EPERM) return fd
    // The capability may have been given up since the start.
    if (node.handle !== undefined) handles = false
    return location.follow(node)
  }

  const evict = (): number => {
    const before = holders.length
    const left = holders.filter((node) => node.fd >= 0 && (node.operation === operation || !letGo(node)))
    holders.splice(0, before, ...left)
    return before - left.length
  }

  const withRoom = (open: () => number): number => {
    const fd = open()
    return fd === -EMFILE && evict() > 0 ? open() : fd
  }

  const reopen = (node: Node): number => {
    const fd = withRoom(() => find(node))
    if (fd < 0) return fd === -ENOENT || fd === -ENOTDIR || fd === -ELOOP ? -ESTALE : fd
    const status = files.fs_stat(fd)
    if (status === 0 && isSame(attributes.identity(), node.identity)) {
      hold(node, fd)
      return fd
    }
    files.fs_close(fd)
    return status < 0 ? status : -ESTALE
  }

  const descriptor = (node: Node): number => {
    if (node.fd < 0) return node.lent < 0 ? reopen(node) : node.lent
    node.used = true
    node.operation = operation
    return node.fd
  }

  /**
   * Notes by what the file can be found again, from a descriptor of it; whether it can. What has no name any
   * more is there only as long as somebody holds it.
   */
  const remember = (node: Node, fd: number): boolean => {
    if (files.fs_stat(fd) < 0 || attributes.nlink() === 0) return false
    if (node.handle !== undefined) return true
    if (!handles || node.identity.device !== rootIdentity.device) return false
    const length = files.fs_handle_of(fd, room)
    if (length < 0) handles = false
    else node.handle = room.slice(0, length)
    return handles
  }

  /** Whether the node needs no descriptor any more: it can be found again, or at least looked for. */
  const letGo = (node: Node): boolean => {
    if (node.pinned || node.unopened > 0) return false
    // What is open is asked by its descriptor, wherever its name is meanwhile.
    if (!remember(node, node.fd) && (attributes.nlink() === 0 || node.opens > 0)) return false
    lettingGo(node)
    files.fs_close(node.fd)
    node.fd = -1
    return true
  }

  return {
    root,
    get: (nodeid) => byId[typeof nodeid === "number" ? nodeid : -1],
    known,
    adopt: (fd, identity, parent, name, lent = false) => {
      let ofDevice = byDevice.get(identity.device)
      if (ofDevice === undefined) byDevice.set(identity.device, (ofDevice = new Map()))
      const known = ofDevice.get(identity.ino)
      if (known !== undefined && isSame(known.identity, identity)) {
        if (lent) known.lent = fd
        else if (known.fd < 0) hold(known, fd)
        else files.fs_close(fd)
        known.parent = parent
        known.name = name
        return known
      }
      const id = free.pop() ?? byId.length
      const node = new Node(id, ++generation, identity, parent, name)
      byId[id] = node
      ofDevice.set(identity.ino, node)
      if (lent) node.lent = fd
      else hold(node, fd)
      return node
    },
    closing: (node, fd) => {
      if (node.lent !== fd) return false
      node.lent = -1
      if (node.fd >= 0 || byId[node.id] !== node) return false
      const held = remember(node, fd) ? -1 : files.fs_open(fd, O_PATH, 0)
      if (held >= 0) hold(node, held)
      return true
    },
    descriptor,
    folder: (node) => {
      const fd = descriptor(node)
      if (fd < 0 || node === root) return fd
      return location.isBeneath(node, fd) ? fd : -ESTALE
    },
    evict,
    withRoom,
    lower: (node) => {
      evict()
      const fd = files.fs_duplicate(node.fd)
      if (fd > node.fd) files.fs_close(fd)
      if (fd < 0 || fd > node.fd) return node.fd
      files.fs_close(node.fd)
      node.fd = fd
      return fd
    },
    hasName: (node) => location.hasName(node, descriptor),
    trim: () => {
      operation++
      // Twice round at the most: there may be none to let go.
      for (let left = 2 * holders.length; holders.length > limit && left > 0; left--) {
        if (hand >= holders.length) hand = 0
        const node = holders[hand]
        if (node === undefined) return
        if (node.fd >= 0 && (node.used || !letGo(node))) {
          node.used = false
          hand++
          continue
        }
        const last = holders.pop()
        if (last !== undefined && last !== node) holders[hand] = last
      }
    },
    forget: (nodeid) => {
      const node = byId[typeof nodeid === "number" ? nodeid : -1]
      if (node === undefined || node === root) return
      byId[node.id] = undefined
      free.push(node.id)
      const ofDevice = byDevice.get(node.identity.device)
      if (ofDevice?.get(node.identity.ino) === node) ofDevice.delete(node.identity.ino)
      lettingGo(node)
      // The sweep takes it out of the holders.
      if (node.fd >= 0) files.fs_close(node.fd)
      node.fd = -1
      node.used = false
    },
    held: () => holders.reduce((count, { fd }) => (fd >= 0 ? count + 1 : count), 0),
    close: () => {
      clearTimeout(idleTimer)
      for (const node of byId) if (node !== undefined && node.fd >= 0) files.fs_close(node.fd)
      byId.length = 0
      holders.length = 0
      byDevice.clear()
      if (mount >= 0) files.fs_close(mount)
    }
  }
}
