/** From a source and its options to the backend that is to be served. */
import type { BackendSource } from "@bickford/session"
import * as Effect from "effect/Effect"
import type { CommandError } from "../CommandError.ts"
import type { ParsedOptions } from "../mountOptions.ts"
import { sourceOf } from "./index.ts"

/** The backend for `source`, its files shown with the owner that `options` name. */
export const backendFor = (source: string, options: ParsedOptions): Effect.Effect<BackendSource, CommandError> =>
  Effect.gen(function*() {
    const { kind, path } = yield* sourceOf(source)
    const made = yield* kind.open(path, options)
    const { owner } = options
    if (Object.keys(owner).length === 0) return made
    const { withOwner } = yield* Effect.promise(() => import("@bickford/backends"))
    return Effect.isEffect(made) ? Effect.map(made, (instance) => withOwner(instance, owner)) : withOwner(made, owner)
  })
