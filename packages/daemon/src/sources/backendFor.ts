/** From a source and its options to the backend that is to be served. */
import type { AsyncBackend, BackendSource } from "@bickford/session"
import * as Effect from "effect/Effect"
import type { CommandError } from "../CommandError.ts"
import type { ParsedOptions } from "../options/table.ts"
import { sourceOf } from "./index.ts"

/** The backend for `source`, its files shown with the owner, and to those, that `options` name. */
export const backendFor = (source: string, options: ParsedOptions): Effect.Effect<BackendSource, CommandError> =>
  Effect.gen(function* () {
    const { kind, path } = yield* sourceOf(source)
    const made = yield* kind.open(path, options)
    const { allowRoot, owner } = options
    if (Object.keys(owner).length === 0 && !allowRoot) return made
    const { onlyFor, withOwner } = yield* Effect.promise(() => import("@bickford/backends"))
    const change = (instance: AsyncBackend): AsyncBackend => {
      const owned = Object.keys(owner).length === 0 ? instance : withOwner(instance, owner)
      return allowRoot ? onlyFor(owned, [0, process.geteuid?.() ?? 0]) : owned
    }
    return Effect.isEffect(made) ? Effect.map(made, change) : change(made)
  })
