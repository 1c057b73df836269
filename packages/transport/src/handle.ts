/** Handles: file descriptors that belong to a scope. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { systemError, type TransportError } from "./errors.ts"
import { type FuseHandle, native } from "./native.ts"

const closing = (handle: FuseHandle): Effect.Effect<void> => Effect.sync(() => native.close(handle))

const hints: Readonly<Record<number, string>> = {
  2: "/dev/fuse is missing: load the fuse module (modprobe fuse)",
  13: "/dev/fuse is not open to this user: mount through fusermount3",
  19: "/dev/fuse has no driver: load the fuse module (modprobe fuse)"
}

const acquire = <A>(syscall: string, open: () => A | number, close: (value: A) => Effect.Effect<void>): Effect.Effect<A, TransportError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const opened = open()
      return typeof opened === "number" ? Effect.fail(systemError(syscall, opened, hints[-opened])) : Effect.succeed(opened)
    }),
    close
  )

const closingBoth = ([first, second]: readonly [FuseHandle, FuseHandle]) => Effect.andThen(closing(first), closing(second))

/** `/dev/fuse`, not yet mounted; non-blocking, close-on-exec. */
export const openDevFuse: Effect.Effect<FuseHandle, TransportError, Scope.Scope> = acquire("open", native.open_dev_fuse, closing)

/** pipe(2): the reading end, then the writing end. */
export const pipePair: Effect.Effect<readonly [FuseHandle, FuseHandle], TransportError, Scope.Scope> = acquire("pipe2", native.pipe_pair, closingBoth)

/** socketpair(2): two ends that both read and write. `seqpacket` keeps frame boundaries, as `/dev/fuse` does. */
export const socketpair = (options?: { readonly type?: "stream" | "seqpacket" }): Effect.Effect<readonly [FuseHandle, FuseHandle], TransportError, Scope.Scope> =>
  acquire("socketpair", () => native.socketpair(options?.type ?? "stream"), closingBoth)

/** A handle on a duplicate of a descriptor this process holds: inherited, or received over a socket. */
export const fromFd = (fd: number): Effect.Effect<FuseHandle, TransportError, Scope.Scope> => acquire("fcntl", () => native.from_fd(fd), closing)

/** Closes now; harmless when closed already. */
export const close = closing

/** The descriptor's number; -1 once closed. */
export const fd = (handle: FuseHandle): number => native.fd(handle)
