/** Handles, each owning a descriptor, closed with their scope. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { errnoError, type SystemCallError } from "./errors.ts"
import { addon, type FuseHandle } from "./native.ts"

export type { FuseHandle } from "./native.ts"

/** Closes a handle. Idempotent; whoever waits for the handle fails with `select_already_closed`. */
export const close = (handle: FuseHandle): Effect.Effect<void> => Effect.sync(() => void addon.close(handle))

/** The descriptor's number, or undefined when the handle is closed. It stays the handle's: do not close it. */
export const fd = (handle: FuseHandle): number | undefined => {
  const number = addon.fd(handle)
  return number < 0 ? undefined : number
}

/** Takes ownership of what a call of the addon made, or fails with its errno. */
const owned = <A extends object>(
  syscall: string,
  make: () => A | number,
  closeAll: (made: A) => Effect.Effect<void>,
  hint?: (errno: number) => string | undefined
): Effect.Effect<A, SystemCallError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const made = make()
      return typeof made === "number" ? Effect.fail(errnoError(syscall, made, hint?.(-made))) : Effect.succeed(made)
    }),
    closeAll
  )

const closeBoth = ([one, two]: readonly [FuseHandle, FuseHandle]): Effect.Effect<void> =>
  Effect.andThen(close(one), close(two))

const deviceHint = (errno: number): string | undefined => {
  if (errno === 2 || errno === 6 || errno === 19)
    return "/dev/fuse is missing: load the kernel's module (modprobe fuse), or let the container have the device"
  return errno === 13 || errno === 1 ? "this user may not open /dev/fuse" : undefined
}

/** Opens `/dev/fuse` (O_RDWR, O_NONBLOCK, O_CLOEXEC), not mounted yet. */
export const open_dev_fuse: Effect.Effect<FuseHandle, SystemCallError, Scope.Scope> = owned(
  "open",
  () => addon.open_dev_fuse(),
  close,
  deviceHint
)

/** A non-blocking pipe: the end to read from, and the one to write to. */
export const pipe_pair: Effect.Effect<readonly [read: FuseHandle, write: FuseHandle], SystemCallError, Scope.Scope> =
  owned("pipe2", () => addon.pipe_pair(), closeBoth)

/** Two connected, non-blocking ends. `seqpacket` keeps message boundaries, as `/dev/fuse` does; `stream`, the default, does not. */
export const socketpair = (
  options: { readonly type?: "stream" | "seqpacket" } = {}
): Effect.Effect<readonly [FuseHandle, FuseHandle], SystemCallError, Scope.Scope> =>
  owned("socketpair", () => addon.socketpair(options.type), closeBoth)

/** A handle on a duplicate of a descriptor that is open already (inherited, or received). Makes the open file non-blocking. */
export const fromFd = (number: number): Effect.Effect<FuseHandle, SystemCallError, Scope.Scope> =>
  owned("fcntl", () => addon.from_fd(number), close)
