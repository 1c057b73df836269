/**
 * Files that are open. Where the kernel reads one by itself, by what its node has registered, it is opened here
 * only if more than reading is asked of it: opening and closing would cost as much as all the rest.
 */
import { errnoNumbers, type U64 } from "@bickford/protocol"
import { files } from "@bickford/transport"
import type { Attributes } from "./attributes.ts"
import type { Node, Nodes } from "./nodes.ts"
import { makeTable } from "./table.ts"

interface OpenFile {
  readonly node: Node
  /** open(2)'s, for when it is opened. */
  readonly flags: number
  /** The kernel reads and writes it by itself: its node counts it as one that does. */
  readonly byKernel: boolean
  /** Made as it was opened, to be new and to be written: O_CREAT | O_EXCL | O_WRONLY. */
  readonly made: boolean
  /** -1 until it is opened. */
  fd: number
}

/** A file that was open. */
interface ClosedFile {
  readonly node: Node
  readonly byKernel: boolean
}

export interface OpenFiles {
  /** Takes the descriptor; a file without one is the kernel's by the node's own, which stays as long. Gives the handle. */
  readonly add: (file: OpenFile) => number
  /** The descriptor, of a file opened now if need be; or a negative errno. */
  readonly descriptor: (handle: U64) => number
  /** The descriptor that is there without opening the file; undefined when there is none. */
  readonly opened: (handle: U64) => number | undefined
  /** Closes it; what it was, if there was one. */
  readonly remove: (handle: U64) => ClosedFile | undefined
  /** Bytes of the file that was closed last of those that were `made`; as many as there can be before the first. */
  readonly lastMadeSize: () => U64
  readonly close: () => void
}

export const makeOpenFiles = (nodes: Nodes, attributes: Attributes): OpenFiles => {
  const table = makeTable<OpenFile>()
  let lastMadeSize: U64 = Number.MAX_SAFE_INTEGER

  const open = (file: OpenFile): number => {
    const held = nodes.descriptor(file.node)
    const fd = held < 0 ? held : nodes.withRoom(() => files.fs_open(held, file.flags, 0))
    if (fd >= 0) {
      file.fd = fd
      file.node.unopened--
    }
    return fd
  }

  const sizeOf = (fd: number): U64 | undefined => (files.fs_stat(fd) < 0 ? undefined : attributes.size())

  return {
    add: (file) => {
      file.node.opens++
      if (file.fd < 0) file.node.unopened++
      return table.add(file)
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
      const { byKernel, fd, made, node } = file
      node.opens--
      if (fd < 0) {
        node.unopened--
        return { node, byKernel }
      }
      const seen = nodes.closing(node, fd)
      if (made) lastMadeSize = seen ?? sizeOf(fd) ?? lastMadeSize
      files.fs_close(fd)
      return { node, byKernel }
    },
    lastMadeSize: () => lastMadeSize,
    close: () => {
      for (const { fd } of table.values()) if (fd >= 0) files.fs_close(fd)
    }
  }
}
