/** A mount served by the thread that uses it synchronously can only wait for itself; this notices. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { addon } from "./native.ts"
import { connectionFolder, mountFusectl } from "./abort.ts"

/**
 * While the scope lasts, watches the calling thread: when it has waited `patience` milliseconds for an
 * answer from FUSE while requests wait on the connection of `device` (`MAJOR:MINOR`), `message` goes to
 * stderr and the connection is aborted.
 */
export const watchThread = (device: string, message: string, patience: number): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.andThen(mountFusectl, Effect.sync(() => addon.watchdog(connectionFolder(device), message, patience))),
    (stop) => Effect.sync(stop)
  ))
