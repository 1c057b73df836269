/** `bickford unmount`: unmounts a FUSE filesystem, ours or another's, dead or alive. */
import { mountAt, unmountPath } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { commandError } from "./CommandError.ts"
import { canonical, describe, isFuse } from "./mountpoint.ts"

export const unmount = Effect.fnUntraced(function*(path: string, lazy: boolean) {
  const place = yield* canonical(path)
  const mounted = mountAt(place)
  if (mounted === undefined) return yield* Effect.fail(commandError(`${place} is not a mountpoint`))
  if (!isFuse(mounted)) {
    return yield* Effect.fail(commandError(`${place} is left alone: it is no FUSE filesystem but ${yield* describe(mounted)}`))
  }
  yield* Effect.mapError(unmountPath(place, { lazy }), (error) =>
    commandError(error._tag === "EBUSY" ? `${place} is busy; --lazy detaches it all the same` : error.message))
})
