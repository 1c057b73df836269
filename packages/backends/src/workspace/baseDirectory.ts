/** The base directory of a branch, opened; and why a directory and a store cannot go together. */
import { errnoNumbers } from "@bickford/protocol"
import { errnoError } from "@bickford/session"
import { coveredPlaces, coveringPlace, files } from "@bickford/transport"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { realpathSync } from "node:fs"
import { basename, dirname, join, resolve } from "node:path"
import { makeAttributes } from "../passthrough/attributes.ts"
import { openServed } from "../passthrough/covered.ts"
import { makeIdMap } from "../passthrough/ids.ts"

/** The directory cannot be served with the store. */
export class WorkspaceError extends Data.TaggedError("WorkspaceError")<{
  /** The directory's. */
  readonly path: string
  /** Why, and what to do. */
  readonly message: string
}> {}

export const refuseWorkspace = (path: string, message: string): Effect.Effect<never, WorkspaceError> =>
  Effect.fail(new WorkspaceError({ path, message: `${path}: ${message}` }))

const isBelow = (path: string, directory: string): boolean =>
  path.startsWith(directory === "/" ? directory : `${directory}/`)

/** A path without links, where it does not lead into a mount of this process. */
export const realPath = (path: string): string => {
  const absolute = resolve(path)
  if (coveringPlace(absolute) !== undefined) return absolute
  try {
    return realpathSync(absolute)
  } catch {
    return absolute
  }
}

/** Why a base and a store cannot go together, or a mount of this process is in the way. */
export const refusedTogether = (base: string, store: string): string | undefined => {
  const real = join(realPath(dirname(resolve(store))), basename(store))
  if (isBelow(real, base)) return `holds its own store ${store}; keep the store outside of the directory`
  const inside = coveredPlaces.find(({ mountpoint }) => isBelow(mountpoint, base))
  return inside && `holds the mountpoint ${inside.mountpoint} of this process; mount it elsewhere`
}

/** Opens a base directory (O_PATH), past a mount of this process. Whoever opens it closes it. */
export const openBaseDirectory = Effect.fnUntraced(function* (directory: string) {
  const noIds = makeIdMap(undefined)
  let rootDevice = 0
  const attributes = makeAttributes(() => rootDevice, noIds, noIds)
  const fd = openServed(directory)
  const status = fd < 0 ? fd : files.fs_stat(fd)
  if (status < 0) {
    if (fd >= 0) files.fs_close(fd)
    const why = status === -errnoNumbers.EDEADLK ? "a mount of this process hides it" : errnoError(-status).message
    return yield* refuseWorkspace(directory, `cannot be read: ${why}`)
  }
  rootDevice = attributes.device()
  return { attributes, fd, identity: attributes.identity() }
})
