/** INIT: what the kernel offers and what we and the backend can do, agreed on once per connection. */
import type { Slot } from "@bickford/transport"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { agreeOn, backendConnection, type Connection } from "./connection/Connection.ts"
import { logDiagnostics } from "./Diagnostics.ts"
import { makeGuard } from "./dispatcher/guard.ts"
import { effectOf } from "./dispatcher/promises.ts"
import { errnoName, errnoNumbers } from "@bickford/protocol"
import {
  type Agreement,
  decodeAs,
  encodeInitReply,
  type InitError,
  isDecodeError,
  isInitError,
  negotiate,
  opcodeOf,
  opcodeTable
} from "@bickford/protocol/codec"
import type { InitOptions, InitRequest, Negotiated } from "@bickford/protocol"
import { OptionError } from "./options.ts"
import type { SessionOptions } from "./SessionOptions.ts"

/** INIT was malformed, or asks for what we do not speak; the connection cannot be served. */
export class HandshakeError extends Data.TaggedError("HandshakeError")<{
  /** What is wrong with it. */
  readonly message: string
}> {}

/** What was wanted and is not in force: an old kernel's lack is worth knowing, a contradiction of one's own is worth a warning. */
const logRefused = (refused: Agreement["refused"]): Effect.Effect<void> => {
  const names = (chosen: Agreement["refused"]): string =>
    chosen.map(({ by, flag }) => (by === "kernel" ? flag : `${flag} (${by})`)).join(", ")
  const lacking = refused.filter(({ by }) => by === "kernel")
  const contradicted = refused.filter(({ by }) => by !== "kernel")
  return Effect.andThen(
    lacking.length === 0 ? Effect.void : Effect.logInfo(`the kernel does not offer ${names(lacking)}`),
    contradicted.length === 0 ? Effect.void : Effect.logWarning(`asked for, but not in force: ${names(contradicted)}`)
  )
}

/** An option, or what the backend declares beside it, is told as all options are. */
const refusalOf = (error: InitError): HandshakeError | OptionError =>
  error.reason === "option"
    ? new OptionError({ option: error.option, message: error.message })
    : new HandshakeError({ message: error.message })

const decodeInit = (slot: Slot): InitRequest | HandshakeError => {
  const row = opcodeTable[opcodeOf(slot)]
  if (row === undefined) return new HandshakeError({ message: "the first message was not INIT" })
  const request = decodeAs(row, slot, undefined)
  if (isDecodeError(request)) return new HandshakeError({ message: request.message })
  if (request.op === "init") return request
  return new HandshakeError({ message: `the first message was ${request.op}, not INIT` })
}

/** The ways over io_uring are taken, or not; a kernel that refuses them in the end delivers by the device. */
const settleRings = (connection: Connection, negotiated: Negotiated): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { rings } = connection.transport
    if (rings === undefined) return Effect.void
    if (!negotiated.overIoUring) {
      rings.drop()
      return Effect.void
    }
    const refused = (why: string): Effect.Effect<void> => {
      connection.negotiated = { ...negotiated, overIoUring: false }
      return Effect.logWarning(`io_uring: ${why}; the kernel delivers requests by /dev/fuse instead`)
    }
    const { isolates } = connection
    if (isolates?.areWanted() === true) {
      rings.leave()
      return Effect.matchEffect(isolates.begin(negotiated), {
        onFailure: ({ message }) => {
          rings.giveBack()
          return refused(message)
        },
        onSuccess: () =>
          Effect.logInfo(`io_uring: the kernel delivers requests by its queues, to ${isolates.count} threads`)
      })
    }
    const status = rings.start(negotiated)
    return status >= 0
      ? Effect.logInfo("io_uring: the kernel delivers requests by its queues")
      : refused(errnoName(-status) ?? String(status))
  })

/**
 * Answers INIT. The backend's own `init` runs first: nothing else of the mount is served before it
 * has ended, and when it fails the mount fails. `onNegotiated` runs last, before the answer is written.
 */
export const handshake = Effect.fnUntraced(function* (connection: Connection, slot: Slot, options: SessionOptions) {
  const { backend, transport } = connection
  const refuse = (error: HandshakeError | OptionError) => {
    transport.reply(slot, -errnoNumbers.EPROTO, 0)
    return Effect.fail(error)
  }
  const request = decodeInit(slot)
  if (request instanceof HandshakeError) return yield* refuse(request)
  // What a later process may serve stays on the device: a ring ends with its process.
  const overIoUring =
    transport.rings !== undefined && options.onNegotiated === undefined && options.resume === undefined
  const asked = { ...options, overIoUring, frameCapacity: transport.frameCapacity }
  const agreed = negotiate(request, asked, backend ?? {})
  if (isInitError(agreed)) return yield* refuse(refusalOf(agreed))
  yield* logRefused(agreed.refused)
  if (backend?.init !== undefined) {
    const { init } = backend
    const guard = makeGuard(connection.counters, logDiagnostics(yield* Effect.context<never>()))
    const initialised = Effect.suspend(() =>
      effectOf(init.call(backend, agreed.negotiated, backendConnection(connection, guard)) ?? Effect.void)
    )
    yield* Effect.onError(initialised, () => Effect.sync(() => transport.reply(slot, -errnoNumbers.EIO, 0)))
  }
  const { onNegotiated } = options
  if (onNegotiated !== undefined) yield* onNegotiated({ id: connection.id, negotiated: agreed.negotiated })
  // Set before the reply is written: the next request may be read at once.
  agreeOn(connection, agreed.negotiated)
  transport.reply(slot, 0, encodeInitReply(agreed.reply, slot.view, slot.body))
  yield* settleRings(connection, agreed.negotiated)
})

/** Answers an INIT that was agreed on before, as it was then. */
export const answerAgain = (connection: Connection, slot: Slot, options: InitOptions): Effect.Effect<void> =>
  Effect.sync(() => {
    const { backend, transport } = connection
    const request = decodeInit(slot)
    const agreed =
      request instanceof HandshakeError
        ? undefined
        : negotiate(request, { frameCapacity: transport.frameCapacity, ...options }, backend ?? {})
    if (agreed === undefined || isInitError(agreed)) transport.reply(slot, -errnoNumbers.EPROTO, 0)
    else transport.reply(slot, 0, encodeInitReply(agreed.reply, slot.view, slot.body))
  })
