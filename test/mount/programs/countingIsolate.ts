/** For mounts that several isolates serve: a shared backend of another module that counts which of its operations JavaScript was called for. */
import type { AsyncBackend } from "@bickford/session"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** What is given on: the module and the data of the backend underneath, and numbers of LOOKUPs, GETATTRs, OPENs, RELEASEs, and of isolates that asked for it. */
export interface Counted {
  readonly module: string
  readonly data: unknown
  readonly calls: SharedArrayBuffer
}

type Acquire = (data: unknown) => Effect.Effect<AsyncBackend, unknown, Scope.Scope>

export const backend = async ({ calls, data, module }: Counted) => {
  const { backend: acquire } = (await import(module)) as { readonly backend: Acquire }
  const counts = new Int32Array(calls)
  Atomics.add(counts, 4, 1)
  return Effect.map(acquire(data), (kept): AsyncBackend => {
    const { getattr, lookup, open, release } = kept
    // In place: a copy would be asked for everything.
    return Object.assign(kept, {
      lookup: (...given: Parameters<NonNullable<AsyncBackend["lookup"]>>) => {
        Atomics.add(counts, 0, 1)
        return lookup?.(...given) ?? Effect.die("no lookup")
      },
      getattr: (...given: Parameters<NonNullable<AsyncBackend["getattr"]>>) => {
        Atomics.add(counts, 1, 1)
        return getattr?.(...given) ?? Effect.die("no getattr")
      },
      open: (...given: Parameters<NonNullable<AsyncBackend["open"]>>) => {
        Atomics.add(counts, 2, 1)
        return open?.(...given) ?? Effect.die("no open")
      },
      release: (...given: Parameters<NonNullable<AsyncBackend["release"]>>) => {
        Atomics.add(counts, 3, 1)
        return release?.(...given) ?? Effect.die("no release")
      }
    } satisfies AsyncBackend)
  })
}
