/** SOURCE, the first argument of `bickford mount`: which filesystem, and of what. */
import { memory, passthrough, sqlite, withOwner } from "@bickford/backends"
import { type BackendSource, loadBackend } from "@bickford/session"
import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
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

/** A folder is opened once before the mount: what is wrong with it is said then. */
const folderFor = (path: string, options: ParsedOptions): Effect.Effect<BackendSource, CommandError> => {
  if (path === "") return Effect.fail(commandError("passthrough: needs a folder: passthrough:DIR"))
  if (options.mount.strictatime === true) {
    return Effect.fail(commandError("passthrough: cannot have strictatime: reads are marked as the filesystem underneath is mounted; mount that with strictatime"))
  }
  // The callers' masks are applied by the kernel; this program's own is to take nothing away.
  process.umask(0)
  const folder = passthrough(resolve(path), options.passthrough)
  return Effect.scoped(folder).pipe(
    Effect.mapError(({ message }) => commandError(message)),
    Effect.as(folder)
  )
}

/** A person's own filesystem: the export `backend` of a module. */
const moduleFor = (path: string): Effect.Effect<BackendSource, CommandError> =>
  path === ""
    ? Effect.fail(commandError("module: needs the path of a module that exports a backend: module:PATH"))
    : Effect.mapError(loadBackend(pathToFileURL(resolve(path)).href), (error) =>
      commandError(`module:${path}: ${error instanceof Error ? error.message : String(error)}`))

/**
 * The backend for `source`: `memory:`, which is empty at each start, `sqlite:PATH`, a store that lasts,
 * `passthrough:DIR`, a folder of the machine's own, or `module:PATH`, a filesystem of a person's own.
 */
export const backendFor = (source: string, options: ParsedOptions): Effect.Effect<BackendSource, CommandError> => {
  const backend = stored(source, options)
  const { owner } = options
  if (Object.keys(owner).length === 0) return backend
  return Effect.map(backend, (made) => Effect.isEffect(made) ? Effect.map(made, (instance) => withOwner(instance, owner)) : withOwner(made, owner))
}

const stored = (source: string, options: ParsedOptions): Effect.Effect<BackendSource, CommandError> => {
  const path = storePath(source)
  if (path !== undefined) return storeFor(path, options)
  if (source.startsWith("passthrough:")) return folderFor(source.slice("passthrough:".length), options)
  if (source.startsWith("module:")) return moduleFor(source.slice("module:".length))
  return source === "memory:"
    ? Effect.succeed(memory(options.memory))
    : Effect.fail(commandError(`unknown source ${source}; known: memory:, sqlite:PATH, passthrough:DIR, module:PATH`))
}
