/** For mounts that several isolates serve: a shared backend of another module, where a look at some names ends the thread. */
import type { AsyncBackend } from "@bickford/session"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** What is given on: the module and the data of the backend underneath. */
export interface Doomed {
  readonly module: string
  readonly data: unknown
}

type Acquire = (data: unknown) => Effect.Effect<AsyncBackend, unknown, Scope.Scope>

/** By large pieces: small ones would have V8 collect garbage for seconds before the memory is used up. */
const useUpMemory = (): void => {
  const kept: Array<ReadonlyArray<number>> = []
  for (;;) {
    const piece: Array<number> = []
    piece.length = 1_000_000
    kept.push(piece.fill(0.5))
  }
}

const ends: { readonly [name: string]: () => void } = {
  "doom-exit": () => process.exit(3),
  "doom-throw": () =>
    void setImmediate(() => {
      throw new Error("out of turn")
    }),
  "doom-memory": useUpMemory
}

export const backend = async ({ data, module }: Doomed) => {
  const { backend: acquire } = (await import(module)) as { readonly backend: Acquire }
  return Effect.map(acquire(data), (kept): AsyncBackend => ({
    ...kept,
    lookup: (request, context) => {
      ends[String(request.name)]?.()
      return kept.lookup?.(request, context) ?? Effect.die("no lookup")
    }
  }))
}
