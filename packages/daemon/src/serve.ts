/** `bickford mount`: mounts, says so, and serves until it is unmounted or told to stop. */
import { printable } from "@bickford/protocol"
import { mount, type MountEnd, wireLog } from "@bickford/session"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { unmountAfterDeath } from "./autoUnmount.ts"
import { beforeMounting } from "./covered.ts"
import { type CommandError, commandError } from "./CommandError.ts"
import { parseMountOptions } from "./options/mountOptions.ts"
import type { MountRequest } from "./MountRequest.ts"
import { canonical } from "./mountpoint.ts"
import { backendFor } from "./sources/backendFor.ts"
import { sourceOf } from "./sources/index.ts"
import { tellStarter } from "./starter.ts"
import { stopSignal } from "./stopSignal.ts"

const judge = (place: string, end: MountEnd): Effect.Effect<void, CommandError> => {
  switch (end.reason) {
    case "unmounted":
    case "asked":
      return Effect.void
    case "failed": {
      const cause = end.session.reason === "failed" ? Cause.squash(end.session.cause) : undefined
      return Effect.fail(commandError(`${place}: the filesystem failed: ${cause instanceof Error ? cause.message : String(cause)}`))
    }
    default:
      return Effect.fail(commandError(`${place}: the connection was ${end.reason}`))
  }
}

const serveOnce = Effect.fnUntraced(function*(request: MountRequest) {
  const { kind } = yield* sourceOf(request.source)
  const options = yield* Effect.fromResult(parseMountOptions(request.options, kind))
  const place = yield* canonical(request.mountpoint)
  const backend = yield* backendFor(yield* beforeMounting(request.source, place), options)
  const mounted = yield* mount({ fsname: request.source, ...options.mount, mountpoint: place, backend, session: options.session })
  if (request.debug === true || options.debug) yield* wireLog(mounted.session.connection, (line) => void process.stderr.write(`${line}\n`), { format: "pretty" })
  if (options.autoUnmount) yield* unmountAfterDeath(place)
  tellStarter({ mounted: mounted.mountpoint })
  yield* Console.log(`${printable(request.source)} is mounted at ${printable(mounted.mountpoint)}; Ctrl-C unmounts it.`)
  return yield* Effect.flatMap(mounted.awaitEnd, (end) => judge(place, end))
}, Effect.scoped)

/** Ends normally however it is asked to: a signal unmounts first, while the filesystem is still served. */
export const serve = (request: MountRequest) => Effect.raceFirst(serveOnce(request), stopSignal)
