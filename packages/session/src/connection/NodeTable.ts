/**
 * How often the kernel holds each node: the lookup counts of the protocol. (And, in a second table, how
 * often each is open: the same counting, by OPEN and RELEASE.)
 *
 * Every successful entry reply adds one, FORGET subtracts; at zero the kernel no longer knows the
 * node id and the backend may use it again. The backend chooses node ids, this table only counts.
 */
import type { U64 } from "@bickford/protocol"

/** Ids below this are counted in a flat array, as most backends number densely; the others in a map. */
const denseLimit = 1 << 24

export class NodeTable {
  #dense = new Float64Array(1024)
  readonly #sparse = new Map<U64, number>()
  #size = 0
  #elsewhere = false

  /** Has nothing counted here any more: the backend counts by itself what several isolates answer. */
  countElsewhere(): void {
    this.#elsewhere = true
  }

  /** How many nodes the kernel holds, the root not counted. */
  get size(): number {
    return this.#size
  }

  /** The lookup count of a node; 0 when the kernel does not hold it. */
  count(nodeid: U64): number {
    if (this.#elsewhere) return Number.MAX_SAFE_INTEGER
    if (typeof nodeid === "number" && nodeid < denseLimit) return this.#dense[nodeid] ?? 0
    return this.#sparse.get(nodeid) ?? 0
  }

  /** An entry reply for the node was accepted by the kernel. */
  add(nodeid: U64): void {
    if (this.#elsewhere) return
    if (typeof nodeid === "number" && nodeid < denseLimit) {
      if (nodeid >= this.#dense.length) this.#grow(nodeid)
      const before = this.#dense[nodeid] ?? 0
      if (before === 0) this.#size++
      this.#dense[nodeid] = before + 1
      return
    }
    const before = this.#sparse.get(nodeid) ?? 0
    if (before === 0) this.#size++
    this.#sparse.set(nodeid, before + 1)
  }

  /**
   * The kernel drops `nlookup` references. True when it held the node and now no longer does. A count
   * never goes below zero: forgets of what an earlier server handed out end at zero.
   */
  forget(nodeid: U64, nlookup: number): boolean {
    if (this.#elsewhere) return false
    const before = this.count(nodeid)
    if (before === 0) return false
    const after = before - nlookup
    const gone = after <= 0
    if (gone) this.#size--
    if (typeof nodeid === "number" && nodeid < denseLimit) this.#dense[nodeid] = gone ? 0 : after
    else if (gone) this.#sparse.delete(nodeid)
    else this.#sparse.set(nodeid, after)
    return gone
  }

  /** Every node the kernel holds. For the end of a connection: an unmount sends no forgets. */
  *entries(): IterableIterator<readonly [U64, number]> {
    for (let nodeid = 0; nodeid < this.#dense.length; nodeid++) {
      const count = this.#dense[nodeid] ?? 0
      if (count > 0) yield [nodeid, count]
    }
    yield* this.#sparse
  }

  #grow(nodeid: number): void {
    let length = this.#dense.length
    while (length <= nodeid) length *= 2
    const grown = new Float64Array(length)
    grown.set(this.#dense)
    this.#dense = grown
  }
}
