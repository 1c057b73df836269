/** `bickford mount`: mounts, says so, and serves until it is unmounted or told to stop. */
import { backendFor, beforeMounting, type CommandError, commandError, shownSource, sourceOf } from "@bickford/daemon"
import { type ParsedOptions, parseMountOptions } from "@bickford/daemon/options"
import { printable } from "@bickford/protocol"
import { atimePolicy, type Mount, mount, type MountEnd, Session, transportFor, wireLog } from "@bickford/session"
import { findMount, fromFd, ownConnection } from "@bickford/transport"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { closeSync } from "node:fs"
import { tellStarter } from "../starter.ts"
import { unmountAfterDeath } from "./autoUnmount.ts"
import { givenDevice, notADevice } from "./givenDevice.ts"
import type { MountRequest } from "./MountRequest.ts"
import { canonical } from "./mountpoint.ts"
import { stopSignal } from "../stopSignal.ts"

const judge = (place: string, end: MountEnd): Effect.Effect<void, CommandError> => {
  switch (end.reason) {
    case "unmounted":
    case "asked":
      return Effect.void
    case "failed": {
      const cause = end.session.reason === "failed" ? Cause.squash(end.session.cause) : undefined
      return Effect.fail(
        commandError(`${place}: the filesystem failed: ${cause instanceof Error ? cause.message : String(cause)}`)
      )
    }
    default:
      return Effect.fail(commandError(`${place}: the connection was ${end.reason}`))
  }
}

/** Serves a device that the caller has mounted, and will unmount. */
const serveDevice = Effect.fnUntraced(
  function* (request: MountRequest, descriptor: number, options: ParsedOptions) {
    if (options.autoUnmount)
      return yield* Effect.fail(
        commandError(`option auto_unmount: whoever has mounted ${request.mountpoint} unmounts it`)
      )
    const wrong = notADevice(descriptor)
    if (wrong !== undefined) return yield* Effect.fail(commandError(`${request.mountpoint} ${wrong}`))
    const backend = yield* backendFor(request.source, options)
    const handle = yield* fromFd(descriptor)
    // Ours is a duplicate; the connection is to end with it.
    closeSync(descriptor)
    yield* ownConnection(handle)
    const transport = yield* transportFor(handle, options.mount)
    const session = yield* Session.make(transport, backend, { ...options.session, atime: atimePolicy(options.mount) })
    if (request.debug === true || options.debug)
      yield* wireLog(session.connection, (line) => void process.stderr.write(`${line}\n`), { format: "pretty" })
    yield* session.negotiated
    tellStarter({ mounted: request.mountpoint })
    yield* Console.log(
      `${printable(shownSource(request.source))} is mounted at ${request.mountpoint}; it is served until that is unmounted.`
    )
    return yield* Effect.flatMap(session.awaitEnd, (end) =>
      judge(request.mountpoint, { reason: end.reason, session: end })
    )
  },
  Effect.mapError(({ message }) => commandError(message))
)

/** Lets `bickford stats` and `bickford trace` ask. Where they cannot, they say so themselves. */
const answer = (source: string, { mountpoint, session }: Mount) =>
  Effect.gen(function* () {
    const entry = findMount(mountpoint)
    if (entry === undefined) return
    const { answerDirectly } = yield* Effect.promise(() => import("@bickford/daemon/direct"))
    yield* answerDirectly({ session, mountpoint, source: shownSource(source), device: entry.device })
  }).pipe(Effect.ignore)

const serveOnce = Effect.fnUntraced(function* (request: MountRequest) {
  const { kind } = yield* sourceOf(request.source)
  const options = yield* Effect.fromResult(parseMountOptions(request.options, kind))
  const descriptor = givenDevice(request.mountpoint)
  if (descriptor !== undefined) return yield* serveDevice(request, descriptor, options)
  const place = yield* canonical(request.mountpoint)
  const backend = yield* backendFor(yield* beforeMounting(request.source, place), options)
  const isDebugged = request.debug === true || options.debug
  const mounted = yield* mount({
    fsname: shownSource(request.source),
    ...options.mount,
    // What several isolates are asked nobody would see.
    ...(isDebugged && options.mount.threads !== undefined ? { threads: 1 } : {}),
    mountpoint: place,
    backend,
    session: options.session
  })
  if (isDebugged)
    yield* wireLog(mounted.session.connection, (line) => void process.stderr.write(`${line}\n`), { format: "pretty" })
  if (options.autoUnmount) yield* unmountAfterDeath(place)
  yield* answer(request.source, mounted)
  tellStarter({ mounted: mounted.mountpoint })
  yield* Console.log(
    `${printable(shownSource(request.source))} is mounted at ${printable(mounted.mountpoint)}; Ctrl-C unmounts it.`
  )
  return yield* Effect.flatMap(mounted.awaitEnd, (end) => judge(place, end))
}, Effect.scoped)

/** Ends normally however it is asked to: a signal unmounts first, while the filesystem is still served. */
export const serve = (request: MountRequest) => Effect.raceFirst(serveOnce(request), stopSignal)
