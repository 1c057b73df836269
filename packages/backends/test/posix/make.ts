import type { MemoryOptions } from "../../src/index.ts"
import type { Backend } from "@bickford/session"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Makes an empty filesystem with a root of root's. */
export type Make = (options?: Omit<MemoryOptions, "locks" | "opens">) => Effect.Effect<
  Backend & {
    readonly stats: () => { readonly inodes: number; readonly bytes: number }
    readonly invariants: () => ReadonlyArray<string>
  },
  unknown,
  Scope.Scope
>

/** Has each filesystem checked when its test ends: its invariants hold, whatever the test did. */
export const checked =
  (make: Make): Make =>
  (options) =>
    Effect.tap(make(options), (backend) =>
      Effect.addFinalizer(() => Effect.sync(() => assert.deepStrictEqual(backend.invariants(), [])))
    )
