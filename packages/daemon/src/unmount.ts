/** `bickford unmount`: unmounts a FUSE filesystem, ours or another's, dead or alive. */
import { describeMount, findMount, isFuse, unmountDevice } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { commandError } from "./CommandError.ts"
import { canonical } from "./mountpoint.ts"

export const unmount = Effect.fnUntraced(function* (path: string, lazy: boolean) {
  const place = yield* canonical(path)
  const mounted = findMount(place)
  if (mounted === undefined) return yield* Effect.fail(commandError(`${place} is not a mountpoint`))
  if (!isFuse(mounted)) {
    return yield* Effect.fail(
      commandError(`${place} is left alone: it is no FUSE filesystem but ${yield* describeMount(mounted)}`)
    )
  }
  yield* Effect.mapError(unmountDevice({ mountpoint: place }, { lazy }), (error) =>
    commandError(error.code === "EBUSY" ? `${place} is busy; --lazy detaches it all the same` : error.message)
  )
})
