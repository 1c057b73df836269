import type { MemoryOptions } from "../../src/index.ts"
import type { Backend } from "@bickford/session"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Makes an empty filesystem with a root of root's. */
export type Make = (
  options?: Omit<MemoryOptions, "locks" | "opens">
) => Effect.Effect<
  Backend & { readonly stats: () => { readonly inodes: number; readonly bytes: number } },
  unknown,
  Scope.Scope
>
