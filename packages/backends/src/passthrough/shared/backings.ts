/** As `makeBackings`, for files that several isolates open: what is registered is noted with the addon's node. */
import { errnoNumbers } from "@bickford/protocol"
import type { BackendConnection } from "@bickford/session"
import type { SharedFiles } from "@bickford/transport"
import { type Backings, isPassing } from "../backing.ts"
import type { Node } from "../node.ts"

export const makeSharedBackings = (share: SharedFiles, connection: () => BackendConnection | undefined): Backings => {
  // Not every kernel takes a descriptor that is O_PATH (EBADF).
  let takesPaths = true

  const drop = (id: number): void => {
    if (id > 0) connection()?.closeBacking(id)
  }

  const register = (node: Node, fd: number, kept: 0 | 1): number | undefined => {
    const id = connection()?.openBacking(fd) ?? 0
    if (kept === 1 && id === -errnoNumbers.EBADF) takesPaths = false
    if (id <= 0) {
      node.refused = !isPassing(id)
      return undefined
    }
    const counts = share.register_backing(node.id, id, kept)
    if (counts !== id) drop(id)
    return counts > 0 ? counts : undefined
  }

  const openHeld = (node: Node): number | undefined => {
    const there = share.backing(node.id, 1)
    if (there !== 0) return there > 0 ? there : undefined
    return node.fd < 0 || !takesPaths || node.refused ? undefined : register(node, node.fd, 1)
  }

  return {
    open: (node, fd) => {
      const there = share.backing(node.id, 0)
      if (there > 0) return there
      return openHeld(node) ?? (node.refused ? undefined : register(node, fd, 0))
    },
    openHeld,
    close: (node) => drop(share.close_backing(node.id)),
    letGo: (node) => drop(share.let_backing_go(node.id)),
    isOpen: (node) => share.is_backed(node.id) === 1
  }
}
