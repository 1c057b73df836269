/**
 * The requests that the backend has suspended on: each has a fiber, and owes the kernel one reply.
 * A request that is answered at once never enters the table.
 */
import type { DetachedRequest, Slot } from "@bickford/transport"
import type * as Fiber from "effect/Fiber"
import type { Guard } from "../dispatcher/guard.ts"
import type { OpcodeRow } from "@bickford/protocol/codec"
import type { Request, U64 } from "@bickford/protocol"

/** Why a request's fiber was told to stop; decides what the caller is answered. */
export type StopReason = "interrupted" | "deadline" | "restart" | "shutdown"

export interface InFlight {
  /** `unique` with bit 63 cleared. */
  readonly unique: U64
  readonly row: OpcodeRow
  readonly request: Request
  /** Told when the caller is signalled, and when the operation is stopped; undefined until the operation has begun. */
  caller: { readonly interrupt: (guard: Guard) => void; readonly abort: () => void } | undefined
  /** Undefined while the request waits: to begin, for a commit, or to be run again on a new backend. */
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** Where the reply goes: the slot while the request's payload is still in use, else a detached request. */
  readonly place: { readonly slot: Slot } | { readonly detached: DetachedRequest }
  /** Set before the fiber is interrupted. */
  stopped: StopReason | undefined
  /** The reply has been written though the fiber still runs: it outlived its deadline. */
  answered: boolean
  /** INTERRUPT came, and did not stop the operation. */
  signalled: boolean
  /** The caller's watch has met it. */
  looked: boolean
  /** Its neighbours in the table, which alone sets them. */
  previous: InFlight | undefined
  next: InFlight | undefined
}

/** A request that owes its reply at `place`. `caller` is undefined until its operation begins. */
export const makeInFlight = (
  unique: U64,
  row: OpcodeRow,
  request: Request,
  place: InFlight["place"],
  caller: InFlight["caller"]
): InFlight => ({
  unique,
  row,
  request,
  place,
  caller,
  fiber: undefined,
  stopped: undefined,
  answered: false,
  signalled: false,
  looked: false,
  previous: undefined,
  next: undefined
})

/**
 * A list through its entries, in the order in which they came. A Map would serve, but for this: when its entries come and
 * go it makes a new table for each few of them, each dead table refers to the next, and once one is old (V8's old
 * generation) all that follow, with what they refer to, are kept until the next full collection.
 */
export class InFlightTable {
  #first: InFlight | undefined
  #last: InFlight | undefined
  #size = 0
  readonly #onEmpty: Array<() => void> = []

  get size(): number {
    return this.#size
  }

  /** The newest request of that number. Looks through all that came after it: only an INTERRUPT asks. */
  get(unique: U64): InFlight | undefined {
    let entry = this.#last
    while (entry !== undefined && entry.unique !== unique) entry = entry.previous
    return entry
  }

  #has(entry: InFlight): boolean {
    return entry.previous !== undefined || this.#first === entry
  }

  add(entry: InFlight): void {
    if (this.#has(entry)) return
    entry.previous = this.#last
    if (this.#last === undefined) this.#first = entry
    else this.#last.next = entry
    this.#last = entry
    this.#size++
  }

  /** Called when the reply has been written and the fiber has ended. */
  delete(entry: InFlight): void {
    if (!this.#has(entry)) return
    const { next, previous } = entry
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    entry.previous = undefined
    entry.next = undefined
    this.#size--
    if (this.#size === 0) for (const resume of this.#onEmpty.splice(0)) resume()
  }

  /** Those that are in flight now. */
  values(): ReadonlyArray<InFlight> {
    const entries: Array<InFlight> = []
    for (let entry = this.#first; entry !== undefined; entry = entry.next) entries.push(entry)
    return entries
  }

  /** Calls back once the table is empty, now or later; returns how to stop waiting. */
  whenEmpty(resume: () => void): () => void {
    if (this.#size === 0) {
      resume()
      return () => {}
    }
    this.#onEmpty.push(resume)
    return () => {
      const index = this.#onEmpty.indexOf(resume)
      if (index >= 0) this.#onEmpty.splice(index, 1)
    }
  }
}
