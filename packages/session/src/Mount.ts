/**
 * A mounted filesystem: a session over `/dev/fuse`, and its ways in and out.
 */
import { printable } from "@bickford/protocol"
import {
  abortConnection,
  type DeviceTransportOptions,
  frameCapacityFor,
  type FrameTransport,
  type FuseHandle,
  isMounted,
  makeDeviceTransport,
  makeRingTransport,
  mountDevice,
  type MountDeviceOptions,
  type MountedDevice,
  type TransportError,
  unmountDevice,
  watchThread
} from "@bickford/transport"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { atimePolicy } from "./atime.ts"
import { detach } from "./detach.ts"
import type { MountOptions } from "./MountOptions.ts"
import { type EndingMount, endingMount } from "./processEnd.ts"
import { checkMountOptions, type OptionError } from "./options.ts"
import { withinRequestLimit } from "./requestLimit.ts"
import { patientTimeoutOption, patientTimeoutOrElse, type SupervisorError } from "@bickford/supervisor"
import {
  make as makeSession,
  type Session,
  type SessionEnd,
  type SessionEndedError,
  type SessionOptions
} from "./Session.ts"

export type { MountOptions } from "./MountOptions.ts"

/** INIT was not agreed on in time. */
export interface MountTimeoutError {
  readonly _tag: "MountTimeoutError"
  readonly message: string
}

/** Why a mount did not come about. */
export type MountError = TransportError | SupervisorError | SessionEndedError | MountTimeoutError | OptionError

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

/** One mounting: its connection, in a scope of its own. */
interface Incarnation {
  readonly scope: Scope.Closeable
  readonly device: MountedDevice
  readonly session: Session
}

/** What the transport is told of a mount: the options given, and a mount's defaults. */
export const deviceOptions = ({
  allowOther,
  defaultPermissions,
  fsname,
  subtype,
  ...options
}: Omit<MountOptions, "backend" | "session">): MountDeviceOptions => ({
  ...options,
  fsname: fsname ?? "bickford",
  subtype: subtype ?? "bickford",
  allowOther: allowOther ?? process.getuid?.() === 0,
  defaultPermissions: defaultPermissions ?? true
})

const sessionOptions = (options: MountOptions): SessionOptions => ({
  atime: atimePolicy(options),
  ...(options.defaultPermissions === false ? { posixAcl: false } : { allowIdmap: true }),
  ...options.session
})

const selfWait = (mountpoint: string): string =>
  `this program waits for itself: a synchronous call into ${printable(mountpoint)} holds up the thread that serves it. ` +
  `The connection is aborted. Use asynchronous calls, or serve the mount from a worker thread (mountWorker).`

/**
 * The kernel answers a read with ENODEV also when it aborted the connection by itself, as after `requestTimeout`, or when
 * ABORT_ERROR was not negotiated (`fs/fuse/dev.c`). Then the mount is still there.
 */
const trueEnd = (end: SessionEnd, device: MountedDevice): SessionEnd =>
  end.reason === "unmounted" && isMounted(device) ? { reason: "aborted" } : end

const selfWaitMillis = ({ selfWaitTimeout }: MountOptions): number =>
  Math.min(Math.ceil(Duration.toMillis(Duration.fromInputUnsafe(selfWaitTimeout ?? "2 seconds"))), 0xffff_ffff)

/** What the connection is served through. A ring that cannot be had is no reason not to serve. */
const transportOf = (
  handle: FuseHandle,
  { threads }: MountOptions,
  options: DeviceTransportOptions
): Effect.Effect<FrameTransport, TransportError, Scope.Scope> =>
  threads === undefined
    ? makeDeviceTransport(handle, options)
    : makeRingTransport(handle, options).pipe(
        Effect.catchIf(
          (error) => error.syscall === "io_uring_setup",
          (error) =>
            Effect.andThen(
              Effect.logInfo(`${error.message}; requests come by /dev/fuse`),
              makeDeviceTransport(handle, options)
            )
        )
      )

/** Mounts, and begins to serve. */
const incarnate = (options: MountOptions, ending: EndingMount): Effect.Effect<Incarnation, MountError> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const built = Effect.gen(function* () {
      const device = yield* Effect.onExit(mountDevice(deviceOptions(options)), (exit) =>
        Effect.sync(() => ending.settle(Exit.isSuccess(exit) ? exit.value : undefined))
      )
      yield* watchThread(device.device, selfWait(device.mountpoint), selfWaitMillis(options))
      const forSession = yield* withinRequestLimit(sessionOptions(options))
      const transport = yield* transportOf(device.handle, options, {
        frameCapacity: frameCapacityFor(forSession.maxWrite)
      })
      return { scope, device, session: yield* makeSession(transport, options.backend, forSession) }
    })
    return yield* Effect.onExit(Scope.provide(built, scope), (exit) =>
      Exit.isFailure(exit) ? Scope.close(scope, exit) : Effect.void
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
    const startTimeout = Duration.fromInputUnsafe(options.startTimeout ?? "30 seconds")
    let asked = false
    let remounts = 0
    const endOf = (session: SessionEnd): MountEnd => ({
      reason: asked && session.reason !== "failed" ? "asked" : session.reason,
      session
    })
    const inTime = <A, E>(start: Effect.Effect<A, E>): Effect.Effect<A, E | MountTimeoutError> =>
      start.pipe(
        patientTimeoutOrElse({
          duration: startTimeout,
          orElse: () =>
            Effect.fail<MountTimeoutError>({
              _tag: "MountTimeoutError",
              message: `${options.mountpoint}: the filesystem did not start within ${Duration.format(startTimeout)}`
            })
        })
      )
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

    const leave = Effect.suspend(() => {
      if (current.session.connection.ended !== undefined) return Effect.void
      return unmount().pipe(
        Effect.catch(() => unmount({ lazy: true })),
        Effect.andThen(Deferred.await(ended)),
        patientTimeoutOrElse({
          duration: stopTimeout,
          // While its backend is away a session may not notice: then closing its scope ends it.
          orElse: () =>
            Effect.andThen(
              Effect.suspend(() => abortConnection(current.device)),
              patientTimeoutOption(stopTimeout)(Deferred.await(ended))
            )
        }),
        Effect.catch((error) => Effect.logWarning(`unmounting ${current.device.mountpoint}: ${error.message}`))
      )
    })
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
