/** For the soak of several isolates: a shared backend of another module, whose operations die, and whose thread does. */
import { brittleOperations } from "./brittle.ts"
import type { AsyncBackend } from "bickford"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** What is given on: the module and the data of the backend underneath, and the seconds that a thread lives, about. */
export interface Brittle {
  readonly module: string
  readonly data: unknown
  readonly lifetime: number
}

type Acquire = (data: unknown) => Effect.Effect<AsyncBackend, unknown, Scope.Scope>

const ways: ReadonlyArray<() => void> = [
  () => process.exit(3),
  () => {
    throw new Error("out of turn")
  }
]

export const backend = async ({ data, lifetime, module }: Brittle) => {
  const { backend: acquire } = (await import(module)) as { readonly backend: Acquire }
  const way = ways[Math.floor(Math.random() * ways.length)]
  if (way !== undefined) setTimeout(way, lifetime * (0.5 + Math.random()) * 1000).unref()
  return Effect.map(acquire(data), (kept) => ({ ...kept, ...brittleOperations(kept) }))
}
