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
  type MountingDevice,
  type TransportError,
  watchThread
} from "@bickford/transport"
import * as Data from "effect/Data"
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
export class MountTimeoutError extends Data.TaggedError("MountTimeoutError")<{
  /** What did not start within which time. */
  readonly message: string
}> {}

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

/** Several isolates need to know where they serve, which nobody does before a synchronous INIT is answered. */
const isolateOptions = (
  { threads }: MountOptions,
  device: MountedDevice | undefined
): Pick<SessionOptions, "isolates"> =>
  threads === undefined || device === undefined
    ? {}
    : { isolates: { threads, device: device.device, mountpoint: device.mountpoint } }

const sessionOptions = (options: MountOptions, device: MountedDevice | undefined): SessionOptions => ({
  atime: atimePolicy(options),
  ...isolateOptions(options, device),
  ...(options.defaultPermissions === false ? { posixAcl: false } : { allowIdmap: true }),
  ...options.session
})

const selfWait = (mountpoint: string): string =>
  `this program waits for itself: a synchronous call into ${printable(mountpoint)} holds up the thread that serves it. ` +
  `The connection is aborted. Use asynchronous calls, or serve the mount from a worker thread (mountWorker).`

/** Before Linux 6.18 the transport cannot tell an abort by the kernel from an unmount: the mount is still there. */
export const trueEnd = (end: SessionEnd, device: MountedDevice): SessionEnd =>
  end.reason === "unmounted" && isMounted(device) ? { reason: "aborted" } : end

const selfWaitMillis = ({ selfWaitTimeout }: MountOptions): number =>
  Math.min(Math.ceil(Duration.toMillis(Duration.fromInputUnsafe(selfWaitTimeout ?? "2 seconds"))), 0xffff_ffff)

/**
 * What the connection of a device is served through: io_uring where `threads` is given and it can be had, else the device. A ring that
 * cannot be had is no reason not to serve: a line in the log says why.
 */
export const transportFor = (
  handle: FuseHandle,
  { threads }: Pick<MountOptions, "threads">,
  options: DeviceTransportOptions = {}
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

/** Begins to serve a device that is mounted, or being mounted. */
const sessionOver = Effect.fnUntraced(function* (handle: FuseHandle, options: MountOptions, device?: MountedDevice) {
  const forSession = yield* withinRequestLimit(sessionOptions(options, device))
  const transport = yield* transportFor(handle, options, { frameCapacity: frameCapacityFor(forSession.maxWrite) })
  return yield* makeSession(transport, options.backend, forSession)
})

/** Mounts, and with a synchronous INIT has begun to serve by then. A session's failure is what the mount's is told as. */
const mountServing = Effect.fnUntraced(function* (options: MountOptions, ending: EndingMount) {
  let session: Session | undefined
  const scope = yield* Effect.scope
  const serve = (mounting: MountingDevice) =>
    Effect.suspend(() => {
      ending.begin(mounting)
      return Effect.map(Scope.provide(sessionOver(mounting.handle, options), scope), (made) => {
        session = made
        return made.awaitEnd
      })
    })
  const device = yield* mountDevice(deviceOptions(options), options.syncInit === true ? serve : undefined).pipe(
    Effect.catch((error) =>
      session === undefined ? Effect.fail(error) : Effect.andThen(session.negotiated, Effect.fail(error))
    ),
    Effect.onExit((exit) => Effect.sync(() => ending.settle(Exit.isSuccess(exit) ? exit.value : undefined)))
  )
  return { device, session }
})

/** Mounts, and begins to serve. */
export const incarnate = (options: MountOptions, ending: EndingMount): Effect.Effect<Incarnation, MountError> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const built = Effect.gen(function* () {
      const { device, session } = yield* mountServing(options, ending)
      yield* watchThread(device.device, selfWait(device.mountpoint), selfWaitMillis(options))
      return { scope, device, session: session ?? (yield* sessionOver(device.handle, options, device)) }
    })
    return yield* Effect.onExit(Scope.provide(built, scope), (exit) =>
      Exit.isFailure(exit) ? Scope.close(scope, exit) : Effect.void
    )
  })
