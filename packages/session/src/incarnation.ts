/** One mounting of a filesystem: its device, and the session that serves it, in a scope of their own. */
import { printable } from "@bickford/protocol"
import type { SupervisorError } from "@bickford/supervisor"
import {
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
  watchThread
} from "@bickford/transport"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { atimePolicy } from "./atime.ts"
import type { MountOptions } from "./MountOptions.ts"
import type { OptionError } from "./options.ts"
import type { EndingMount } from "./processEnd.ts"
import { withinRequestLimit } from "./requestLimit.ts"
import {
  make as makeSession,
  type Session,
  type SessionEnd,
  type SessionEndedError,
  type SessionOptions
} from "./Session.ts"

/** INIT was not agreed on in time. */
export interface MountTimeoutError {
  readonly _tag: "MountTimeoutError"
  readonly message: string
}

/** Why a mount did not come about. */
export type MountError = TransportError | SupervisorError | SessionEndedError | MountTimeoutError | OptionError

/** One mounting. Closing the scope ends its session and its connection. */
export interface Incarnation {
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
export const trueEnd = (end: SessionEnd, device: MountedDevice): SessionEnd =>
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
export const incarnate = (options: MountOptions, ending: EndingMount): Effect.Effect<Incarnation, MountError> =>
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
