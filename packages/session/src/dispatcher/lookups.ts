/** The lookups that the reply being encoded gives the kernel: each counts once the kernel has taken the reply. */
import type { U64 } from "@bickford/protocol"

export class Lookups {
  /** Never shrinks: to set its length costs more than all the rest here. The first `length` count. */
  readonly nodeids: Array<U64> = []
  length = 0
  readonly count = (nodeid: U64): void => {
    this.nodeids[this.length++] = nodeid
  }
}
