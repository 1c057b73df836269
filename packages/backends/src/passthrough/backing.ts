/**
 * Files registered with the kernel, which reads and writes them by itself. A registration costs about as much as
 * opening a file does, so it is kept for the next opening: as long as the node holds its descriptor, by which the
 * file was registered. (By the descriptor of one who opened it, it would keep the file open for writing.)
 */
import { errnoNumbers } from "@bickford/protocol"
import type { BackendConnection } from "@bickford/session"
import type { Node } from "./nodes.ts"

export interface Backings {
  /** Registers a file for one more who has it open, with descriptor `fd`: its id, or undefined where the kernel takes none. */
  readonly open: (node: Node, fd: number) => number | undefined
  /** As `open`, only by the descriptor that the node holds: undefined also where that cannot be. */
  readonly openHeld: (node: Node) => number | undefined
  /** One has closed it. */
  readonly close: (node: Node) => void
  /** The node is about to let its descriptor go. */
  readonly letGo: (node: Node) => void
  /** Whether somebody has it open by its registration. */
  readonly isOpen: (node: Node) => boolean
}

/** Whether what the kernel has refused may be otherwise the next time. */
export const isPassing = (error: number): boolean =>
  error === -errnoNumbers.EBADF || error === -errnoNumbers.ENOMEM || error === -errnoNumbers.ENOSPC

export const makeBackings = (connection: () => BackendConnection | undefined): Backings => {
  // Not every kernel takes a descriptor that is O_PATH (EBADF).
  let takesPaths = true

  const drop = (node: Node): void => {
    if (node.backing === undefined) return
    connection()?.closeBacking(node.backing.id)
    node.backing = undefined
  }

  const register = (fd: number): number => connection()?.openBacking(fd) ?? 0

  const note = (node: Node, id: number, kept: boolean): number | undefined => {
    if (id <= 0) {
      node.refused = !isPassing(id)
      return undefined
    }
    node.backing = { id, opens: 1, kept }
    return id
  }

  /** One more who has it open. */
  const again = (backing: NonNullable<Node["backing"]>): number => {
    backing.opens++
    return backing.id
  }

  const openHeld = (node: Node): number | undefined => {
    if (node.backing !== undefined) return node.backing.kept ? again(node.backing) : undefined
    if (node.fd < 0 || !takesPaths || node.refused) return undefined
    const id = register(node.fd)
    if (id === -errnoNumbers.EBADF) takesPaths = false
    return note(node, id, true)
  }

  return {
    open: (node, fd) => {
      if (node.backing !== undefined) return again(node.backing)
      return openHeld(node) ?? (node.refused ? undefined : note(node, register(fd), false))
    },
    openHeld,
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
    },
    isOpen: (node) => (node.backing?.opens ?? 0) > 0
  }
}
