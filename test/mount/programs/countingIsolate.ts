/** For mounts that several isolates serve: a shared backend of another module that counts which of its operations JavaScript was called for. */
import type { AsyncBackend } from "@bickford/session"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** The operations that are counted, by the places of their numbers; and how many isolates have asked for a backend. */
export const counted = { lookup: 0, getattr: 1, open: 2, release: 3, unlink: 4, rmdir: 5, isolates: 6 } as const

/** What is given on: the module and the data of the backend underneath, and numbers, by the places below. */
export interface Counted {
  readonly module: string
  readonly data: unknown
  readonly calls: SharedArrayBuffer
}

type Acquire = (data: unknown) => Effect.Effect<AsyncBackend, unknown, Scope.Scope>

export const backend = async ({ calls, data, module }: Counted) => {
  const { backend: acquire } = (await import(module)) as { readonly backend: Acquire }
  const counts = new Int32Array(calls)
  Atomics.add(counts, counted.isolates, 1)
  const countedAs =
    <Given extends ReadonlyArray<unknown>, Answer>(
      place: number,
      operation: ((...given: Given) => Answer) | undefined
    ) =>
    (...given: Given): Answer => {
      Atomics.add(counts, place, 1)
      if (operation === undefined) throw new Error("the backend underneath has no such operation")
      return operation(...given)
    }
  return Effect.map(acquire(data), (kept): AsyncBackend => {
    const { getattr, lookup, open, release, rmdir, unlink } = kept
    // In place: a copy would be asked for everything.
    return Object.assign(kept, {
      lookup: countedAs(counted.lookup, lookup),
      getattr: countedAs(counted.getattr, getattr),
      open: countedAs(counted.open, open),
      release: countedAs(counted.release, release),
      unlink: countedAs(counted.unlink, unlink),
      rmdir: countedAs(counted.rmdir, rmdir)
    })
  })
}
