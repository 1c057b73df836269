/**
 * Files that are open. Where the kernel reads one by itself, by what its node has registered, it is opened here
 * only if more than reading is asked of it: opening and closing would cost as much as all the rest.
 */
import { errnoNumbers, type U64 } from "@bickford/session"
import { files } from "@bickford/transport"
import type { Node, Nodes } from "./nodes.ts"
import { makeTable } from "./table.ts"

interface OpenFile {
  readonly node: Node
  /** open(2)'s, for when it is opened. */
  readonly flags: number
  /** -1 until it is. */
  fd: number
}

export interface OpenFiles {
  /** Takes the descriptor. Gives the handle. */
  readonly add: (node: Node, flags: number, fd: number) => number
  /** A file that the kernel has open by the node's descriptor, which stays as long. Gives the handle. */
  readonly addUnopened: (node: Node, flags: number) => number
  /** The descriptor, of a file opened now if need be; or a negative errno. */
  readonly descriptor: (handle: U64) => number
  /** The descriptor that is there without opening the file; undefined when there is none. */
  readonly opened: (handle: U64) => number | undefined
  /** Closes it; its node, if there was one. */
  readonly remove: (handle: U64) => Node | undefined
  readonly close: () => void
}

export const makeOpenFiles = (nodes: Nodes): OpenFiles => {
  const table = makeTable<OpenFile>()

  const open = (file: OpenFile): number => {
    const held = nodes.descriptor(file.node)
    const fd = held < 0 ? held : files.fs_open(held, file.flags, 0)
    if (fd >= 0) {
      file.fd = fd
      file.node.unopened--
    }
    return fd
  }

  return {
    add: (node, flags, fd) => table.add({ node, flags, fd }),
    addUnopened: (node, flags) => {
      node.unopened++
      return table.add({ node, flags, fd: -1 })
    },
    descriptor: (handle) => {
      const file = table.get(handle)
      if (file === undefined) return -errnoNumbers.ESTALE
      return file.fd < 0 ? open(file) : file.fd
    },
    opened: (handle) => {
      const fd = table.get(handle)?.fd ?? -1
      return fd < 0 ? undefined : fd
    },
    remove: (handle) => {
      const file = table.remove(handle)
      if (file === undefined) return undefined
      const { fd, node } = file
      if (fd < 0) node.unopened--
      else {
        nodes.closing(node, fd)
        files.fs_close(fd)
      }
      return node
    },
    close: () => {
      for (const { fd } of table.values()) if (fd >= 0) files.fs_close(fd)
    }
  }
}
