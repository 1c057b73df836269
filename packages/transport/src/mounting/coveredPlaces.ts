/**
 * What this process's mounts lie on. A call by path into a mount of this process would wait for this process, so
 * whoever serves what lies underneath, or beside it, needs to know these places and to reach them in another way.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { closeSync, openSync } from "node:fs"
import { basename, dirname } from "node:path"

/** A directory that a mount of this process covers, and the descriptor that still reaches it. */
export interface CoveredPlace {
  /** Absolute, without links. */
  readonly mountpoint: string
  /** Its last component, and the directory that has it. */
  readonly name: string
  readonly directory: string
  /** What lies underneath, opened (O_PATH) before it was mounted on; -1 where this process did not mount it. */
  readonly underneath: number
}

const O_PATH = 0o10000000
const places: Array<CoveredPlace> = []

/** The places that this process's mounts cover now, in the order of mounting. */
export const coveredPlaces: ReadonlyArray<CoveredPlace> = places

const isAtOrBelow = (path: string, mountpoint: string): boolean =>
  path === mountpoint || path.startsWith(mountpoint === "/" ? mountpoint : `${mountpoint}/`)

/** The covered place that an absolute path without links lies at or below. */
export const coveringPlace = (path: string): CoveredPlace | undefined => {
  const covering = places.filter(({ mountpoint }) => isAtOrBelow(path, mountpoint))
  const deepest = Math.max(...covering.map(({ mountpoint }) => mountpoint.length))
  return covering.findLast(({ mountpoint }) => mountpoint.length === deepest)
}

/** Notes, while the scope lasts, that a mount covers `mountpoint`. The descriptor stays the caller's. */
export const coverPlace = (mountpoint: string, underneath: number): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => {
        const place: CoveredPlace = {
          mountpoint,
          name: basename(mountpoint),
          directory: dirname(mountpoint),
          underneath
        }
        places.push(place)
        return place
      }),
      (place) => Effect.sync(() => void places.splice(places.indexOf(place), 1))
    )
  )

/** Opens what is about to be mounted on, for the life of the scope; -1 where it cannot be opened. */
export const openUnderneath = (mountpoint: string): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      try {
        return openSync(mountpoint, O_PATH)
      } catch {
        return -1
      }
    }),
    (fd) => Effect.sync(() => (fd < 0 ? undefined : closeSync(fd)))
  )
