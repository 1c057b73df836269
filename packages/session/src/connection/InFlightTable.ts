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
  looked: false
})

export class InFlightTable {
  readonly #entries = new Map<U64, InFlight>()
  readonly #onEmpty: Array<() => void> = []

  get size(): number {
    return this.#entries.size
  }

  get(unique: U64): InFlight | undefined {
    return this.#entries.get(unique)
  }

  add(entry: InFlight): void {
    this.#entries.set(entry.unique, entry)
  }

  /** Called when the reply has been written and the fiber has ended. */
  delete(unique: U64): void {
    this.#entries.delete(unique)
    if (this.#entries.size === 0) for (const resume of this.#onEmpty.splice(0)) resume()
  }

  values(): IterableIterator<InFlight> {
    return this.#entries.values()
  }

  /** Calls back once the table is empty, now or later; returns how to stop waiting. */
  whenEmpty(resume: () => void): () => void {
    if (this.#entries.size === 0) {
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
