/**
 * Synchronous INIT (FUSE_DEV_IOC_SYNC_INIT, Linux 6.18): mount(2) returns when INIT has been answered, and fails when it was
 * refused. A mount that does not come about is never seen. INIT is answered while mount(2) waits on a thread of its own.
 *
 * Only an answer or an abort ends that wait: mount(2) holds the device itself, so that closing it does not (docs/decisions/0022).
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { constants } from "node:os"
import { structs } from "@bickford/protocol/codec"
import { abortConnection, abortFileOf } from "./abort.ts"
import { errnoError, type TransportError } from "../errors.ts"
import { deviceOf } from "./mountinfo.ts"
import { connectionOf } from "./mountpoint.ts"
import { addon, type FuseHandle } from "../native.ts"

const { EIO } = constants.errno

/** A connection whose mount(2) waits for INIT's answer. */
export interface MountingDevice {
  readonly handle: FuseHandle
  readonly mountpoint: string
  /** `MAJOR:MINOR`, as it will be in /proc/self/mountinfo. */
  readonly device: string
}

/** Begins to serve a connection that is being mounted. Succeeds at once, with what waits until nobody serves it any more. */
export type ServeMounting<E, R> = (mounting: MountingDevice) => Effect.Effect<Effect.Effect<unknown>, E, R>

/** How mount(2) ended. */
interface WaitedMount {
  /** 0, or a negative errno. */
  readonly result: number
  /** Whether there was a connection to serve: else nothing has been done that could not be tried anew. */
  readonly served: boolean
}

/** The least that the kernel wants room for (FUSE_MIN_READ_BUFFER). */
const readBuffer = 8192

/** Answers INIT with an error, if nobody has read it. */
const refuseInit = (device: FuseHandle): void => {
  const request = new Uint8Array(readBuffer)
  if (addon.read_frame(device, request) < structs.inHeader.bytes) return
  const reply = new DataView(new ArrayBuffer(structs.outHeader.bytes))
  reply.setUint32(structs.outHeader.len, structs.outHeader.bytes, true)
  reply.setInt32(structs.outHeader.error, -EIO, true)
  new Uint8Array(reply.buffer).set(
    request.subarray(structs.inHeader.unique, structs.inHeader.unique + 8),
    structs.outHeader.unique
  )
  addon.write_frame(device, reply)
}

/** Has mount(2) return. A session that ends closes its handle: `own` is another one of the same device. */
const letGo = (own: FuseHandle, mounting: MountingDevice): Effect.Effect<void> =>
  Effect.andThen(
    Effect.sync(() => refuseInit(own)),
    Effect.ignore(abortConnection({ ...mounting, handle: own }))
  )

/** Waits until the kernel has made the connection, or mount(2) has ended without. Only fdinfo tells of it. */
const connectionMade = Effect.fnUntraced(function* (device: FuseHandle, mount: Fiber.Fiber<number>) {
  for (;;) {
    const connection = connectionOf(device)
    if (connection !== undefined || mount.pollUnsafe() !== undefined) return connection
    yield* Effect.sleep(1)
  }
})

/** What has mount(2) go on, and the means to have INIT answered. */
export interface Serving<E, R> {
  readonly serve: ServeMounting<E, R>
  /** Makes an effect interruptible, where all around it is not. */
  readonly restore: <A, F, S>(effect: Effect.Effect<A, F, S>) => Effect.Effect<A, F, S>
}

/** Serves a connection until its mount(2) returns, which it is made to do when nobody serves it any more. */
const serveUntilMounted = Effect.fnUntraced(function* <E, R>(
  own: FuseHandle,
  place: MountingDevice,
  mounting: Fiber.Fiber<number>,
  { restore, serve }: Serving<E, R>
): Effect.fn.Return<number, E, R> {
  const serving = yield* Effect.forkChild(serve(place))
  const watching = yield* Effect.forkChild(
    Effect.andThen(Effect.exit(Effect.flatten(Fiber.join(serving))), letGo(own, place))
  )
  const result = yield* Effect.onInterrupt(restore(Fiber.join(mounting)), () =>
    letGo(own, place).pipe(Effect.andThen(Fiber.await(mounting)), Effect.andThen(Fiber.interrupt(serving)))
  )
  yield* Fiber.interrupt(watching)
  const failed = serving.pollUnsafe()
  if (failed !== undefined && Exit.isFailure(failed)) return yield* Effect.failCause(failed.cause)
  yield* result < 0 ? Fiber.interrupt(serving) : restore(Fiber.join(serving))
  return result
})

/**
 * Mounts `device`, on which INIT was made synchronous, by `mount`, a call of mount(2). INIT is answered by what `serve` begins. When
 * nobody serves any more, or this is interrupted, mount(2) is let go.
 */
export const mountServed = <E, R>(
  device: FuseHandle,
  mountpoint: string,
  mount: Effect.Effect<number>,
  serving: Serving<E, R>
): Effect.Effect<WaitedMount, E | TransportError, R> => {
  // A session that ends closes its handle.
  const own = addon.from_fd(addon.fd(device))
  if (typeof own === "number") return Effect.fail(errnoError("fcntl", own))
  return Effect.gen(function* () {
    const mounting = yield* Effect.forkChild(mount, { startImmediately: true, uninterruptible: true })
    const connection = yield* connectionMade(device, mounting)
    if (connection === undefined) return { result: yield* Fiber.join(mounting), served: false }
    const place = { handle: device, mountpoint, device: deviceOf(Number(connection)) }
    addon.detach_at_end(own, "", place.device, abortFileOf(place.device))
    return { result: yield* serveUntilMounted(own, place, mounting, serving), served: true }
  }).pipe(Effect.ensuring(Effect.sync(() => void addon.close(own))))
}
