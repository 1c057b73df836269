/** Backends of a person's own, in modules. */
import * as Effect from "effect/Effect"
import { sourceFault } from "./backendFault.ts"
import { importModule } from "./importModule.ts"
import type { BackendSource } from "./Session.ts"

const isSource = (value: unknown): value is BackendSource => sourceFault(value) === undefined

/**
 * The export `backend` of a module (a URL): a backend, an Effect that acquires one, or a function that makes
 * either, called with `data`. Fails with what the import threw, or says that there is no such export.
 */
export const loadBackend = (module: string, data?: unknown): Effect.Effect<BackendSource, unknown> =>
  Effect.tryPromise(async () => {
    const exports: unknown = await importModule(module)
    const exported: unknown =
      typeof exports === "object" && exports !== null && "backend" in exports ? exports.backend : undefined
    const made: unknown = typeof exported === "function" ? await exported(data) : exported
    if (exported === undefined) throw new Error(`${module} does not export a backend (export const backend = ...)`)
    if (!isSource(made)) throw new Error(`${module}: ${sourceFault(made)}`)
    return made
  }).pipe(Effect.mapError((error) => error.cause))
