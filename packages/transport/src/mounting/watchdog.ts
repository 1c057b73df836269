/** A mount served by the thread that uses it synchronously can only wait for itself; this notices. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { addon } from "../native.ts"
import { fusectl, mountFusectl } from "./abort.ts"

/**
 * While the scope lasts, watches the calling thread: when it has waited `patience` milliseconds in a call into the mount
 * of `device` (`MAJOR:MINOR`), `message` and what was seen go to stderr and the connection is aborted. A call into
 * another FUSE filesystem may take as long as it likes. 0 watches nothing.
 */
export const watchThread = (
  device: string,
  message: string,
  patience: number
): Effect.Effect<void, never, Scope.Scope> =>
  patience === 0
    ? Effect.void
    : Effect.asVoid(
        Effect.acquireRelease(
          Effect.andThen(
            mountFusectl,
            Effect.sync(() => addon.watchdog(fusectl, device, message, patience))
          ),
          (stop) => Effect.sync(stop)
        )
      )
