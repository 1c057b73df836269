/**
 * Files registered with the kernel, which reads and writes them by itself. A registration costs about as much as
 * opening a file does, so it is kept for the next opening: as long as the node holds its descriptor, by which the
 * file was registered. (By the descriptor of one who opened it, it would keep the file open for writing.)
 */
import { type BackendConnection, errnoNumbers } from "@bickford/session"
import type { Node } from "./nodes.ts"

export interface Backings {
  /** Registers a file for one more who has it open, with descriptor `fd`: its id, or undefined where the kernel takes none. */
  readonly open: (node: Node, fd: number) => number | undefined
  /** One has closed it. */
  readonly close: (node: Node) => void
  /** The node is about to let its descriptor go. */
  readonly letGo: (node: Node) => void
}

export const makeBackings = (connection: () => BackendConnection | undefined): Backings => {
  // Not every kernel takes a descriptor that is O_PATH (EBADF).
  let takesPaths = true

  const drop = (node: Node): void => {
    if (node.backing === undefined) return
    connection()?.closeBacking(node.backing.id)
    node.backing = undefined
  }

  const register = (fd: number): number => connection()?.openBacking(fd) ?? 0

  return {
    open: (node, fd) => {
      if (node.backing === undefined) {
        let id = node.fd >= 0 && takesPaths ? register(node.fd) : -errnoNumbers.EBADF
        const kept = id > 0
        if (id === -errnoNumbers.EBADF) {
          if (node.fd >= 0) takesPaths = false
          id = register(fd)
        }
        if (id <= 0) return undefined
        node.backing = { id, opens: 0, kept }
      }
      node.backing.opens++
      return node.backing.id
    },
    close: (node) => {
      const { backing } = node
      if (backing === undefined) return
      backing.opens--
      if (backing.opens === 0 && !backing.kept) drop(node)
    },
    letGo: (node) => {
      const { backing } = node
      if (backing === undefined) return
      backing.kept = false
      if (backing.opens === 0) drop(node)
    }
  }
}
