/**
 * A mounted filesystem: a session over `/dev/fuse`, and its ways in and out.
 */
import { abortConnection, makeDeviceTransport, mountDevice, type MountedDevice, type TransportError, unmountDevice } from "@bickford/transport"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SupervisorError } from "./supervisor/index.ts"
import { type BackendSource, make as makeSession, type Session, type SessionEnd, type SessionEndedError, type SessionOptions } from "./Session.ts"

export interface MountOptions {
  /** An existing directory (or file, for a filesystem whose root is one). */
  readonly mountpoint: string
  readonly backend: BackendSource
  /** The source shown in /proc/mounts. Default `bickford`. */
  readonly fsname?: string
  /** The type shown is `fuse.SUBTYPE`. Default `bickford`. */
  readonly subtype?: string
  /** Let users other than the mounting one in. Default: true for root, else false. */
  readonly allowOther?: boolean
  /** Let the kernel check permissions by mode, owner and group. Default true. */
  readonly defaultPermissions?: boolean
  readonly readOnly?: boolean
  /** Largest READ in bytes; 0 for no limit of the mount's own. */
  readonly maxRead?: number
  readonly session?: SessionOptions
  /** How long the kernel may take to send INIT and the backend to start. Default 30 seconds. */
  readonly startTimeout?: Duration.Input
  /** How long a busy mount may stay after it was detached, before its connection is aborted. Default 5 seconds. */
  readonly stopTimeout?: Duration.Input
}

/** INIT was not agreed on in time. */
export interface MountTimeoutError {
  readonly _tag: "MountTimeoutError"
  readonly message: string
}

export type MountError = TransportError | SupervisorError | SessionEndedError | MountTimeoutError

/** Why a mount ended: `asked` when it was unmounted through this object or its scope. */
export interface MountEnd {
  readonly reason: SessionEnd["reason"] | "asked"
  readonly session: SessionEnd
}

export interface Mount {
  /** The absolute path. */
  readonly mountpoint: string
  /** The mount's device as in /proc/self/mountinfo: `MAJOR:MINOR`. */
  readonly device: string
  readonly session: Session
  /** Waits until the mount is gone and `destroy` has run. */
  readonly awaitEnd: Effect.Effect<MountEnd>
  /** Unmounts, while still serving. `lazy` detaches a busy mount, which ends when its last user does. */
  readonly unmount: (options?: { readonly lazy?: boolean }) => Effect.Effect<void, TransportError>
}

/**
 * Mounts and serves. Succeeds once the kernel's INIT has been answered: the filesystem can be used.
 * Closing the scope unmounts: at once when nobody uses it, else detached, and aborted after
 * `stopTimeout`. It never leaves a dead mountpoint behind.
 */
export const mount: (options: MountOptions) => Effect.Effect<Mount, MountError, Scope.Scope> = Effect.fnUntraced(function*(
  options: MountOptions
) {
  const stopTimeout = Duration.fromInputUnsafe(options.stopTimeout ?? "5 seconds")
  const startTimeout = Duration.fromInputUnsafe(options.startTimeout ?? "30 seconds")
  let asked = false
  const device: MountedDevice = yield* mountDevice({
    mountpoint: options.mountpoint,
    fsname: options.fsname ?? "bickford",
    subtype: options.subtype ?? "bickford",
    allowOther: options.allowOther ?? process.getuid?.() === 0,
    defaultPermissions: options.defaultPermissions ?? true,
    readOnly: options.readOnly ?? false,
    ...(options.maxRead === undefined ? {} : { maxRead: options.maxRead })
  })
  const unmount = (how?: { readonly lazy?: boolean }) =>
    Effect.suspend(() => {
      asked = true
      return unmountDevice(device, { lazy: how?.lazy ?? false })
    })
  const transport = yield* makeDeviceTransport(device.handle)
  const session = yield* makeSession(transport, options.backend, options.session)
  const ended = yield* Deferred.make<MountEnd>()
  yield* Effect.forkScoped(
    Effect.gen(function*() {
      const end = yield* session.awaitEnd
      // Whoever still waits for an answer is let go, and no dead mountpoint is left behind.
      if (end.reason !== "unmounted") {
        yield* Effect.ignore(abortConnection(device))
        yield* Effect.ignore(unmountDevice(device, { lazy: true }))
      }
      const reason: MountEnd["reason"] = asked && end.reason === "unmounted" ? "asked" : end.reason
      yield* Deferred.succeed(ended, { reason, session: end })
    })
  )
  // Added after the session, so it runs before the session's own end: the mount goes while it is served.
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      if (session.connection.ended !== undefined) return Effect.void
      return unmount().pipe(
        Effect.catch(() => unmount({ lazy: true })),
        Effect.andThen(Deferred.await(ended)),
        Effect.timeoutOrElse({ duration: stopTimeout, orElse: () => Effect.andThen(abortConnection(device), Deferred.await(ended)) }),
        Effect.catch((error) => Effect.logWarning(`unmounting ${device.mountpoint}: ${error.message}`))
      )
    })
  )
  yield* session.negotiated.pipe(
    Effect.timeoutOrElse({
      duration: startTimeout,
      orElse: () =>
        Effect.fail<MountTimeoutError>({
          _tag: "MountTimeoutError",
          message: `${device.mountpoint}: the filesystem did not start within ${Duration.format(startTimeout)}`
        })
    })
  )
  const mounted: Mount = {
    mountpoint: device.mountpoint,
    device: device.device,
    session,
    awaitEnd: Deferred.await(ended),
    unmount
  }
  return mounted
})
