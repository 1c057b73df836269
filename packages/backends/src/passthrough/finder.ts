/** How files whose descriptors were let go are found again: by their handles, or else by their paths. */
import { errnoNumbers } from "@bickford/protocol"
import { files } from "@bickford/transport"
import { type Attributes, isSame } from "./attributes.ts"
import type { FileHandles } from "./fileHandles.ts"
import type { Location } from "./location.ts"
import type { Node } from "./node.ts"

const { ELOOP, ENOENT, ENOTDIR, EPERM, ESTALE } = errnoNumbers

export interface Finder {
  /**
   * Records how the file can be found again, from a descriptor of it and the number of its names. Returns false when only its
   * path leads to it, or nothing: a file that has no name any more is there only as long as somebody holds it.
   */
  readonly remember: (node: Node, fd: number, nlink: number) => boolean
  /** A descriptor (O_PATH) of the node's file, or a negative errno; -ESTALE when another file is in its place. */
  readonly open: (node: Node) => number
  readonly close: () => void
}

export const makeFinder = (handles: FileHandles, location: Location, attributes: Attributes): Finder => ({
  remember: (node, fd, nlink) => nlink > 0 && handles.record(node, fd),
  open: (node) => {
    const byHandle = handles.open(node)
    const fd = byHandle === -EPERM ? location.follow(node) : byHandle
    if (fd < 0) return fd === -ENOENT || fd === -ENOTDIR || fd === -ELOOP ? -ESTALE : fd
    const status = files.fs_stat(fd)
    if (status === 0 && isSame(attributes.identity(), node.identity)) return fd
    files.fs_close(fd)
    return status < 0 ? status : -ESTALE
  },
  close: handles.close
})
