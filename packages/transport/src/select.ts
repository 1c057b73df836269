/** Waiting for a handle, on the event loop of this environment. */
import * as Effect from "effect/Effect"
import { constants } from "node:os"
import { errnoError, type SelectError, transportError } from "./errors.ts"
import { addon, type FuseHandle } from "./native.ts"

const { EBADF, ECANCELED, EPERM } = constants.errno

/** The error of a wait that ended with `status`, a negative errno. */
export const selectError = (status: number): SelectError => {
  const errno = -status
  if (errno === EBADF || errno === ECANCELED) {
    return transportError("select_already_closed", "epoll", errno, "the handle was closed, so it will never be ready")
  }
  if (errno === EPERM) {
    return transportError(
      "select_not_supported",
      "epoll",
      errno,
      "only devices, pipes and sockets can be waited for, not regular files"
    )
  }
  return transportError("select_failed", "epoll", errno, errnoError("epoll", status).message)
}

/**
 * Waits, once, until reading would not give EAGAIN: there is something to read, or the end, or an error
 * that the read will tell. To wait again is to ask again; interrupting it takes it back. Fails with `select_already_closed`, `select_not_supported` or
 * `select_failed`; -EBUSY, as `select_failed`, when somebody waits for the handle already.
 */
export const select_read = (handle: FuseHandle): Effect.Effect<void, SelectError> =>
  Effect.callback((resume) => {
    const armed = addon.select_read(handle, (status) =>
      resume(status < 0 ? Effect.fail(selectError(status)) : Effect.void)
    )
    if (armed < 0) {
      resume(Effect.fail(selectError(armed)))
      return
    }
    return Effect.sync(() => void addon.select_stop(handle))
  })
