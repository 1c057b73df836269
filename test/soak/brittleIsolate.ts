/** For the soak of several isolates: a shared backend of another module, whose operations die, and whose thread does. */
import { brittleOperations } from "./brittle.ts"
import type { AsyncBackend } from "bickford"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** What is given on: the module and the data of the backend underneath, and after how many lookups a thread ends, about. */
export interface Brittle {
  readonly module: string
  readonly data: unknown
  readonly lookups: number
}

type Acquire = (data: unknown) => Effect.Effect<AsyncBackend, unknown, Scope.Scope>

const ways: ReadonlyArray<() => void> = [
  () => process.exit(3),
  () =>
    void setImmediate(() => {
      throw new Error("out of turn")
    })
]

export const backend = async ({ data, lookups, module }: Brittle) => {
  const { backend: acquire } = (await import(module)) as { readonly backend: Acquire }
  const way = ways[Math.floor(Math.random() * ways.length)]
  let left = Math.ceil(lookups * (0.5 + Math.random()))
  return Effect.map(acquire(data), (kept): AsyncBackend => {
    const brittle = { ...kept, ...brittleOperations(kept) }
    return {
      ...brittle,
      lookup: (request, context) => {
        if (--left === 0) way?.()
        return brittle.lookup?.(request, context) ?? Effect.die("no lookup")
      }
    }
  })
}
