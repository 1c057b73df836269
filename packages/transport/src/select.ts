/** Readiness, one notification at a time. */
import * as Effect from "effect/Effect"
import { systemError, transportError, type TransportError } from "./errors.ts"
import { type FuseHandle, native } from "./native.ts"

/** Arms a readiness watch; undefined, or why it could not be armed. */
export const watchRead = (handle: FuseHandle, callback: (status: number) => void, persistent: boolean): TransportError | undefined => {
  const failed = native.select_read(handle, callback, persistent)
  if (failed >= 0) return undefined
  if (failed === -9) return transportError("select_already_closed", "select_read", "the handle is closed", 9)
  if (failed === -1) return transportError("select_not_supported", "select_read", "this kind of file has no readiness (regular files are always ready)", 1)
  return transportError("select_failed", "select_read", systemError("select_read", failed).message, -failed)
}

/** Succeeds once there is something to read, or the end of file. Interrupting it disarms. */
export const selectRead = (handle: FuseHandle): Effect.Effect<void, TransportError> =>
  Effect.callback<void, TransportError>((resume) => {
    const failed = watchRead(handle, (status) => {
      resume(status < 0 ? Effect.fail(transportError("select_failed", "select_read", systemError("poll", status).message, -status)) : Effect.void)
    }, false)
    if (failed !== undefined) resume(Effect.fail(failed))
    return Effect.sync(() => native.select_stop(handle))
  })
