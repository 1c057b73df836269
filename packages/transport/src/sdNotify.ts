/** Telling a service manager: sd_notify(3). */
import * as Effect from "effect/Effect"
import { errnoError, type TransportError } from "./errors.ts"
import { addon, type FuseHandle } from "./native.ts"

/**
 * Sends one message to `socket` (NOTIFY_SOCKET: a path, or a name in the abstract namespace after @), with
 * a descriptor, for FDSTORE=1, if a handle is given. Never waits: a manager that does not read gives EAGAIN.
 */
export const sdNotify = (socket: string, state: string, handle?: FuseHandle): Effect.Effect<void, TransportError> =>
  Effect.suspend(() => {
    const result = handle === undefined ? addon.sd_notify(socket, state) : addon.sd_notify(socket, state, handle)
    return result < 0
      ? Effect.fail(errnoError("sendmsg", result, `the service manager's socket ${socket}`))
      : Effect.void
  })
