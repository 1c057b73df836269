/**
 * The descriptors that nodes hold: not more than a limit between operations, and none for long on filesystems below the
 * served one, which could not be unmounted meanwhile.
 */
import { errnoNumbers } from "@bickford/protocol"
import type { Node } from "./node.ts"

/** Milliseconds after which a descriptor of a filesystem below, which nobody uses, is let go; at most twice as many. */
const idleAfter = 1000

export interface HeldDescriptors {
  /** Has the node hold `fd`, for the operation at hand at least. */
  readonly hold: (node: Node, fd: number) => void
  /** The operation at hand uses the node's descriptor. */
  readonly use: (node: Node) => void
  /** Begins an operation: lets descriptors go while there are more than the limit. */
  readonly trim: () => void
  /** Lets all descriptors go that the operation at hand does not use: how many. */
  readonly evict: () => number
  /** Runs what opens a descriptor; again, when there was none left and some could be let go. */
  readonly withRoom: (open: () => number) => number
  readonly count: () => number
  readonly close: () => void
}

/** `letGo` closes a node's descriptor, if it can be done without: whether it was. */
export const makeHeldDescriptors = (
  limit: number,
  rootDevice: number,
  letGo: (node: Node) => boolean
): HeldDescriptors => {
  /** Those that hold a descriptor which may be let go. */
  const holders: Array<Node> = []
  let hand = 0
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
      if (node.fd < 0 || node.pinned || node.identity.device === rootDevice) continue
      if (node.operation > operationBefore || !letGo(node)) left = true
    }
    operationBefore = operation
    if (left) watchIdle()
  }

  const watchIdle = (): void => {
    idleTimer ??= setTimeout(letIdleGo, idleAfter).unref()
  }

  const use = (node: Node): void => {
    node.used = true
    node.operation = operation
  }

  const evict = (): number => {
    const before = holders.length
    const left = holders.filter((node) => node.fd >= 0 && (node.operation === operation || !letGo(node)))
    holders.splice(0, before, ...left)
    return before - left.length
  }

  return {
    hold: (node, fd) => {
      if (node.identity.device !== rootDevice) watchIdle()
      node.fd = fd
      use(node)
      holders.push(node)
    },
    use,
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
    evict,
    withRoom: (open) => {
      const fd = open()
      return fd === -errnoNumbers.EMFILE && evict() > 0 ? open() : fd
    },
    count: () => holders.reduce((count, { fd }) => (fd >= 0 ? count + 1 : count), 0),
    close: () => {
      clearTimeout(idleTimer)
      holders.length = 0
    }
  }
}
