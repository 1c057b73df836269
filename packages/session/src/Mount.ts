/**
 * A mounted filesystem: a session over `/dev/fuse`, and its ways in and out.
 */
import { patientTimeoutOption, patientTimeoutOrElse } from "@bickford/supervisor"
import { abortConnection, type TransportError, unmountDevice } from "@bickford/transport"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { detach } from "./detach.ts"
import { incarnate, type Incarnation, type MountError, MountTimeoutError, trueEnd } from "./incarnation.ts"
import type { MountOptions } from "./MountOptions.ts"
import { checkMountOptions } from "./options.ts"
import { endingMount } from "./processEnd.ts"
import type { Session, SessionEnd } from "./Session.ts"

export { deviceOptions, type MountError, MountTimeoutError } from "./incarnation.ts"
export type { MountOptions } from "./MountOptions.ts"

/** Why a mount ended: `asked` when it was unmounted through this object or its scope. */
export interface MountEnd {
  readonly reason: SessionEnd["reason"]
  readonly session: SessionEnd
}

/** A filesystem that is mounted and served. */
export interface Mount {
  /** The absolute path. */
  readonly mountpoint: string
  /** The mount's device as in /proc/self/mountinfo: `MAJOR:MINOR`. Another one after a remount. */
  readonly device: string
  /** Another one after a remount. */
  readonly session: Session
  /** How often it was mounted anew. */
  readonly remounts: number
  /** Waits until the mount is gone and `destroy` has run. */
  readonly awaitEnd: Effect.Effect<MountEnd>
  /** Unmounts, while still serving. `lazy` detaches a busy mount, which ends when its last user does. */
  readonly unmount: (options?: { readonly lazy?: boolean }) => Effect.Effect<void, TransportError>
}

/** Bounds what must happen before the filesystem can be used, by `startTimeout`. */
const startsInTime = ({ mountpoint, startTimeout }: MountOptions) => {
  const duration = Duration.fromInputUnsafe(startTimeout ?? "30 seconds")
  return <A, E>(start: Effect.Effect<A, E>): Effect.Effect<A, E | MountTimeoutError> =>
    start.pipe(
      patientTimeoutOrElse({
        duration,
        orElse: () =>
          Effect.fail(
            new MountTimeoutError({
              message: `${mountpoint}: the filesystem did not start within ${Duration.format(duration)}`
            })
          )
      })
    )
}

/** Unmounts, or detaches a busy mount, and waits for its end; a connection that has not ended after `stopTimeout` is aborted. */
const leaveWith = (
  current: () => Incarnation,
  unmount: Mount["unmount"],
  ended: Mount["awaitEnd"],
  stopTimeout: Duration.Duration
): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (current().session.connection.ended !== undefined) return Effect.void
    return unmount().pipe(
      Effect.catch(() => unmount({ lazy: true })),
      Effect.andThen(ended),
      patientTimeoutOrElse({
        duration: stopTimeout,
        // While its backend is away a session may not notice: then closing its scope ends it.
        orElse: () =>
          Effect.andThen(
            Effect.suspend(() => abortConnection(current().device)),
            patientTimeoutOption(stopTimeout)(ended)
          )
      }),
      Effect.asVoid,
      Effect.catch((error) => Effect.logWarning(`unmounting ${current().device.mountpoint}: ${error.message}`))
    )
  })

/**
 * Mounts and serves. Succeeds once the kernel's INIT has been answered: the filesystem can be used.
 * Closing the scope unmounts: at once when nobody uses it, else detached, and aborted after
 * `stopTimeout`. It never leaves a dead mountpoint behind.
 */
export const mount: (options: MountOptions) => Effect.Effect<Mount, MountError, Scope.Scope> = Effect.fnUntraced(
  function* (options: MountOptions) {
    const wrong = checkMountOptions(options)
    if (wrong !== undefined) return yield* Effect.fail(wrong)
    // Added first, so that nothing is mounted any more when the process's end is nothing to it.
    const ending = yield* endingMount(options.unmountOnExit ?? true)
    const ended = yield* Deferred.make<MountEnd>()
    const stopTimeout = Duration.fromInputUnsafe(options.stopTimeout ?? "5 seconds")
    const inTime = startsInTime(options)
    let asked = false
    let remounts = 0
    const endOf = (session: SessionEnd): MountEnd => ({
      reason: asked && session.reason !== "failed" ? "asked" : session.reason,
      session
    })
    let current: Incarnation = yield* Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const first = yield* restore(inTime(incarnate(options, ending)))
        yield* Effect.addFinalizer(() =>
          Effect.suspend(() => Scope.close(current.scope, Exit.void)).pipe(
            Effect.andThen(Effect.suspend(() => current.session.awaitEnd)),
            Effect.andThen((end) => Deferred.succeed(ended, endOf(end)))
          )
        )
        return first
      })
    )

    /** A new mount in the old one's place; false when that failed. */
    const remount = Effect.gen(function* () {
      yield* Scope.close(current.scope, Exit.void)
      current = yield* inTime(incarnate({ ...options, mountpoint: current.device.mountpoint }, ending))
      remounts++
      yield* inTime(current.session.negotiated)
      yield* Effect.logWarning(`${current.device.mountpoint}: its connection was aborted; mounted anew`)
      return true
    }).pipe(
      Effect.catch((error) =>
        Effect.as(Effect.logError(`${options.mountpoint}: mounting it anew failed: ${error.message}`), false)
      )
    )

    const attend = Effect.gen(function* () {
      for (;;) {
        const end = trueEnd(yield* current.session.awaitEnd, current.device)
        if (end.reason !== "unmounted") yield* detach(current.device)
        if (
          end.reason === "aborted" &&
          options.remount === "onAbort" &&
          !asked &&
          (yield* Effect.uninterruptible(remount))
        )
          continue
        ending.over()
        yield* Deferred.succeed(ended, endOf(end))
        return
      }
    })
    yield* Effect.forkScoped(attend)

    const unmount = (how?: { readonly lazy?: boolean }) =>
      Effect.suspend(() => {
        asked = true
        return unmountDevice(current.device, { lazy: how?.lazy ?? false })
      })

    const leave = leaveWith(() => current, unmount, Deferred.await(ended), stopTimeout)
    // Added last, so it runs first: the mount goes while it is served, and while its end is attended to.
    yield* Effect.addFinalizer(() => leave)
    ending.leave = Effect.andThen(leave, Effect.asVoid(patientTimeoutOption(stopTimeout)(Deferred.await(ended))))
    yield* inTime(current.session.negotiated)
    const mounted: Mount = {
      mountpoint: current.device.mountpoint,
      get device() {
        return current.device.device
      },
      get session() {
        return current.session
      },
      get remounts() {
        return remounts
      },
      awaitEnd: Deferred.await(ended),
      unmount
    }
    return mounted
  }
)
