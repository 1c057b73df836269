/** The connection of a kept mount: what outlives its workers. */
import { type ConnectionRecord, deviceOptions } from "@bickford/session"
import {
  abortConnection,
  fd,
  findMount,
  fromFd,
  mountDevice,
  type MountedDevice,
  type TransportError,
  unmountDevice
} from "@bickford/transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import { beforeMounting } from "../sources/covered.ts"
import { type CommandError, commandError } from "../CommandError.ts"
import type { MountConfig } from "../config/DaemonConfig.ts"
import type { MountRecord } from "./stateFile.ts"
import { parseMountOptions } from "../options/mountOptions.ts"
import { shownSource, sourceOf } from "../sources/index.ts"

export interface Connection {
  readonly device: MountedDevice
  /** This process's descriptor, which workers inherit. */
  readonly descriptor: number
  /** Closes it, and takes the mount away if it is still there. */
  readonly scope: Scope.Closeable
  readonly id: string
  readonly mountedAt: number
  /** What INIT agreed on, once a worker has said so. */
  negotiated: ConnectionRecord["negotiated"] | undefined
  /** Whether a worker has read requests, and if so, of a backend that finds everything again. */
  served: "never" | "durable" | "volatile"
}

/** Mounts; nobody serves it yet. */
export const openConnection: (config: MountConfig) => Effect.Effect<Connection, CommandError | TransportError> =
  Effect.fnUntraced(function* (config: MountConfig) {
    const { kind } = yield* sourceOf(config.source)
    const { mount } = yield* Effect.fromResult(parseMountOptions(config.options, kind))
    const options = deviceOptions({ fsname: shownSource(config.source), ...mount, mountpoint: config.mountpoint })
    yield* beforeMounting(config.source, config.mountpoint)
    const scope = yield* Scope.make()
    const device = yield* Effect.onExit(Scope.provide(mountDevice(options), scope), (exit) =>
      Exit.isFailure(exit) ? Scope.close(scope, exit) : Effect.void
    )
    const descriptor = fd(device.handle)
    if (descriptor === undefined) return yield* Effect.fail(commandError(`${config.mountpoint}: its device was closed`))
    return {
      device,
      descriptor,
      scope,
      id: randomUUID(),
      mountedAt: yield* Clock.currentTimeMillis,
      negotiated: undefined,
      served: "never"
    }
  })

/** A connection that an earlier keeper had, of its descriptor; undefined when the mount is not there any more. */
export const takeBack: (record: MountRecord, held: number) => Effect.Effect<Connection | undefined> = Effect.fnUntraced(
  function* (record, held) {
    const { device, id, mountedAt, mountpoint, negotiated, served } = record
    if (findMount(mountpoint)?.device !== device) return undefined
    const scope = yield* Scope.make()
    const handle = yield* Effect.option(Scope.provide(fromFd(held), scope))
    const descriptor = handle._tag === "Some" ? fd(handle.value) : undefined
    if (handle._tag === "None" || descriptor === undefined) return undefined
    return {
      device: { handle: handle.value, mountpoint, device, underneath: -1 },
      descriptor,
      scope,
      id,
      mountedAt,
      negotiated,
      served
    }
  }
)

/** Lets go whoever still waits for an answer, and leaves no dead mountpoint behind. */
export const abandonConnection = ({ device, scope }: Connection): Effect.Effect<void> =>
  Effect.ignore(abortConnection(device)).pipe(
    Effect.andThen(Effect.ignore(unmountDevice(device, { lazy: true }))),
    Effect.andThen(Scope.close(scope, Exit.void))
  )

/** Why the next worker cannot go on where the last one ended; undefined when it can. */
export const whyLost = ({ negotiated, served }: Connection): string | undefined => {
  if (served === "volatile") return "what its worker held is lost"
  if (negotiated?.resend === false) return "no request is delivered again here (Linux 6.9 does it, without no_resend)"
  return undefined
}
