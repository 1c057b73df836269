/**
 * Pages that the kernel keeps of files which somebody reads past its cache (O_DIRECT): each such read looks for
 * them, and is slower for it. They are dropped when the first one comes.
 */
import type { U64 } from "@bickford/protocol"
import type { BackendConnection } from "@bickford/session"
import * as Effect from "effect/Effect"
import { O_DIRECT } from "./linux.ts"

export interface KernelPages {
  readonly connect: (connection: BackendConnection) => void
  /** A file is read or written, with open(2)'s flags. */
  readonly used: (nodeid: U64, flags: number) => void
}

/** Files remembered at the most; what is forgotten is dropped once more. */
const most = 1024

export const makeKernelPages = (): KernelPages => {
  const dropped = new Set<U64>()
  /** One of them, the one used last: it is used again as a rule. */
  let last: U64 | undefined
  let notify: BackendConnection["notify"] | undefined
  return {
    connect: (connection) => {
      dropped.clear()
      last = undefined
      notify = connection.notify
    },
    used: (nodeid, flags) => {
      if ((flags & O_DIRECT) === 0) {
        if (dropped.size === 0) return
        dropped.delete(nodeid)
        last = undefined
        return
      }
      if (nodeid === last || notify === undefined) return
      last = nodeid
      if (dropped.has(nodeid)) return
      if (dropped.size >= most) dropped.clear()
      dropped.add(nodeid)
      // Nobody waits for it, and nothing depends on it.
      Effect.runFork(Effect.ignore(notify.invalInode(nodeid, 0)))
    }
  }
}
