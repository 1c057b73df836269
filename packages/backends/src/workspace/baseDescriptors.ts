/** Descriptors of base files: few, each for a second at the most, so that a directory which other programs move is found out. */
import { errnoNumbers } from "@bickford/protocol"
import { files } from "@bickford/transport"
import { type Attributes, isSame } from "../passthrough/attributes.ts"
import { type BaseNode, pathOf } from "./baseNode.ts"

const { EISDIR, EPERM, ESTALE } = errnoNumbers
const O_NOATIME = 0o1000000
const S_IFMT = 0o170000
const S_IFREG = 0o100000

/** Descriptors held at the most. */
const heldMax = 96
/** Milliseconds for which a descriptor is used. */
const heldFor = 1000

/** Opens to read, without a trace where that is allowed: for the owner and for root. */
export const openQuietly = (path: number, flags: number): number => {
  const fd = files.fs_open(path, flags | O_NOATIME, 0)
  return fd === -EPERM ? files.fs_open(path, flags, 0) : fd
}

/** Descriptors below `root`. Each call returns a negative errno where it fails. */
export const makeBaseDescriptors = (root: BaseNode, rootFd: number, attributes: Attributes) => {
  /** Those that hold a descriptor, the one used longest ago first. */
  const holders = new Set<BaseNode>()
  /** To be closed once the replies that name them have been written. */
  let retired: Array<number> = []
  let retiring: Array<number> = []

  const letGo = (node: BaseNode): void => {
    holders.delete(node)
    if (node.fd >= 0) retired.push(node.fd)
    node.fd = -1
  }

  const hold = (node: BaseNode, fd: number): void => {
    node.fd = fd
    node.openedAt = performance.now()
    holders.add(node)
    if (holders.size <= heldMax) return
    for (const oldest of holders) {
      letGo(oldest)
      return
    }
  }

  const held = (node: BaseNode): number => {
    if (node.fd < 0) return -1
    if (performance.now() - node.openedAt < heldFor) return node.fd
    letGo(node)
    return -1
  }

  /** Opens a file anew (O_PATH) where it was seen last. -ESTALE when another one is there. */
  const find = (node: BaseNode): number => {
    const fd = files.fs_find_path(rootFd, pathOf(node))
    if (fd < 0) return fd
    if (isSame(attributes.identity(), node.identity)) return fd
    files.fs_close(fd)
    return -ESTALE
  }

  const folder = (node: BaseNode): number => {
    if (node === root) return rootFd
    const known = held(node)
    if (known >= 0) return known
    const fd = find(node)
    if (fd >= 0) hold(node, fd)
    return fd
  }

  /** A descriptor to read the file's content with. */
  const readable = (node: BaseNode): number => {
    const known = held(node)
    if (known >= 0) return known
    const path = find(node)
    if (path < 0) return path
    const isRegular = (attributes.mode() & S_IFMT) === S_IFREG
    const fd = isRegular ? openQuietly(path, 0) : -EISDIR
    files.fs_close(path)
    if (fd >= 0) hold(node, fd)
    return fd
  }

  return {
    find,
    folder,
    readable,
    letGo,
    /** Called at each commit: what was let go before the last one is named by no reply any more. */
    turn: (): void => {
      for (const fd of retiring) files.fs_close(fd)
      retiring = retired
      retired = []
    },
    close: (): void => {
      for (const node of holders) if (node.fd >= 0) files.fs_close(node.fd)
      for (const fd of [...retiring, ...retired]) files.fs_close(fd)
      files.fs_close(rootFd)
    }
  }
}
