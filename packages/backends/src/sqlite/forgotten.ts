/** What becomes of nodes without a name once the kernel has forgotten them. */
import type { U64 } from "@bickford/protocol"
import type { Inode } from "../posix/inode.ts"
import { rootId, type StoredNodes } from "./storedNodes.ts"

export const makeForgotten = ({ free, inodes }: Pick<StoredNodes, "free" | "inodes">) => {
  /** Nodes that the kernel has forgotten since the last commit, and that the commit removes. */
  let removed = new Set<number>()
  /** Nodes that the kernel has forgotten, and that a failed commit has left; the kernel sends a FORGET only once. */
  const lingering = new Set<number>()
  const forget = (nodeid: U64): void => {
    const inode: Inode | undefined = inodes.held(nodeid)
    if (inode === undefined || inode.ino === rootId) return
    inode.known = false
    if (inode.nlink > 0) return
    removed.add(inode.ino)
    free(inode)
  }
  return {
    forget,
    committed: (): void => {
      if (removed.size > 0) removed = new Set()
    },
    rolledBack: (): void => {
      for (const ino of removed) lingering.add(ino)
      removed.clear()
    },
    hasLingering: (): boolean => lingering.size > 0,
    /** Removes what failed commits have left, and has `commit` store that. */
    forgetLingering: (commit: () => void): void => {
      for (const ino of lingering) forget(ino)
      commit()
      lingering.clear()
    }
  }
}
