/** SOURCE, the first argument of `bickford mount`: which filesystem, and of what. */
import { memory, sqlite } from "@bickford/backends"
import type { BackendSource } from "@bickford/session"
import * as Effect from "effect/Effect"
import { type CommandError, commandError } from "./CommandError.ts"
import type { ParsedOptions } from "./mountOptions.ts"

/** The store that `source` names, as in `sqlite:PATH`. */
export const storePath = (source: string): string | undefined => source.startsWith("sqlite:") ? source.slice("sqlite:".length) : undefined

/** A store is opened once before the mount: what is wrong with it is said then. */
const storeFor = (path: string, options: ParsedOptions): Effect.Effect<BackendSource, CommandError> => {
  if (path === "") return Effect.fail(commandError("sqlite: needs the path of a store: sqlite:PATH"))
  const store = sqlite(path, options.memory)
  return Effect.scoped(store).pipe(
    Effect.mapError(({ message }) => commandError(message)),
    Effect.as(store)
  )
}

/** The backend for `source`: `memory:`, which is empty at each start, or `sqlite:PATH`, a store that lasts. */
export const backendFor = (source: string, options: ParsedOptions): Effect.Effect<BackendSource, CommandError> => {
  const path = storePath(source)
  if (path !== undefined) return storeFor(path, options)
  return source === "memory:"
    ? Effect.succeed(memory(options.memory))
    : Effect.fail(commandError(`unknown source ${source}; known: memory:, sqlite:PATH`))
}
