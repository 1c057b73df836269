/** Where the files of a served directory lie: the paths that lead to them, and the way from them to the root. */
import { errnoNumbers } from "@bickford/protocol"
import { files } from "@bickford/transport"
import { sharedReading } from "../posix/clock.ts"
import { type Attributes, type Identity, isSame } from "./attributes.ts"
import type { Node } from "./node.ts"
import { pathRoom, type PlaceOf, wayTo } from "./wayTo.ts"

const { ESTALE } = errnoNumbers

/** Milliseconds for which a directory that lies beneath the root is taken to lie there. */
const beneathFor = 1000
/** Names that are looked at before a change: of a file and of the directories right above it. More would cost too much where it is deep. */
export const checkedMost = 16

export interface Location {
  /** A descriptor (O_PATH) for what is where the node was last seen, or a negative errno. */
  readonly follow: (node: Node) => number
  /** Whether a directory, open as `fd`, can be reached from the root; a removed one, in which nothing is, counts. */
  readonly isBeneath: (node: Node, fd: number) => boolean
  /** For how many milliseconds more a directory is taken to be, as it was seen last. */
  readonly beneathLeft: (node: Node) => number
}

export const makeLocation = (
  root: Node,
  rootFd: number,
  attributes: Attributes,
  known: (seen: Attributes) => Node | undefined,
  placeOf: PlaceOf
): Location => {
  const room = new Uint8Array(pathRoom)
  const now = sharedReading(() => performance.now())

  const follow = (node: Node): number => {
    const way = wayTo(root, node, placeOf)
    if (way === undefined) return -ESTALE
    let fd = way.from
    for (const piece of way.pieces) {
      const next = files.fs_find_path(fd, piece)
      if (fd !== way.from) files.fs_close(fd)
      if (next < 0) return next
      fd = next
    }
    return fd
  }

  /** proc(5)'s path of a descriptor; undefined when it is too long. */
  const pathOf = (fd: number): string | undefined => {
    const length = files.fs_path_of(fd, room)
    return length < 0 ? undefined : Buffer.from(room.subarray(0, length)).toString("latin1")
  }

  /**
   * When a directory was last seen to lie beneath the root, told by the directories above it: now, if they lead to the
   * root; undefined when they do not.
   */
  const climb = (from: number): number | undefined => {
    const at = now()
    let fd = from
    if (files.fs_stat(fd) < 0) return undefined
    let below: Identity = attributes.identity()
    for (;;) {
      const up = files.fs_up(fd)
      if (fd !== from) files.fs_close(fd)
      if (up < 0) return undefined
      const identity = attributes.identity()
      const seen = isSame(identity, root.identity) ? at : known(attributes)?.beneathAt
      const isKnown = seen !== undefined && at - seen < beneathFor
      // The root of everything is its own parent.
      if (isKnown || isSame(identity, below)) {
        files.fs_close(up)
        return isKnown ? seen : undefined
      }
      below = identity
      fd = up
    }
  }

  const isRemoved = (fd: number): boolean => files.fs_stat(fd) === 0 && attributes.nlink() === 0

  const beneathSince = (fd: number): number | undefined => {
    const top = pathOf(rootFd)
    const path = pathOf(fd)
    if (top === undefined || path === undefined) return climb(fd)
    // A directory that is there may be called so, too.
    return path.startsWith(top === "/" ? top : `${top}/`) || (path.endsWith(" (deleted)") && isRemoved(fd))
      ? now()
      : undefined
  }

  return {
    follow,
    isBeneath: (node, fd) => {
      if (now() - node.beneathAt < beneathFor) return true
      const since = beneathSince(fd)
      if (since === undefined) return false
      node.beneathAt = since
      return true
    },
    beneathLeft: (node) => beneathFor - (now() - node.beneathAt)
  }
}

/** The descriptors of directories that are beneath the root, or negative errnos, by those of any nodes. */
export const folderBy =
  (root: Node, location: Location, descriptor: (node: Node) => number) =>
  (node: Node): number => {
    const fd = descriptor(node)
    return fd < 0 || node === root || location.isBeneath(node, fd) ? fd : -ESTALE
  }
