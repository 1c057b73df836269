/** INIT: what the kernel offers and what we and the backend can do, agreed on once per connection. */
import type { Slot } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { agreeOn, backendConnection, type Connection } from "./connection/Connection.ts"
import { logDiagnostics } from "./Diagnostics.ts"
import { makeGuard } from "./dispatcher/guard.ts"
import { effectOf } from "./dispatcher/promises.ts"
import { errnoNumbers } from "@bickford/protocol"
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
import type { OptionError } from "./options.ts"

/** INIT was malformed, or asks for what we do not speak; the connection cannot be served. */
export class HandshakeError extends Error {
  readonly _tag = "HandshakeError"
  override readonly name = "HandshakeError"
}

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
    ? { _tag: "OptionError", option: error.option, message: error.message }
    : new HandshakeError(error.message)

const decodeInit = (slot: Slot): InitRequest | HandshakeError => {
  const row = opcodeTable[opcodeOf(slot)]
  if (row === undefined) return new HandshakeError("the first message was not INIT")
  const request = decodeAs(row, slot, undefined)
  if (isDecodeError(request)) return new HandshakeError(request.message)
  return request.op === "init" ? request : new HandshakeError(`the first message was ${request.op}, not INIT`)
}

/**
 * Answers INIT. The backend's own `init` runs first: nothing else of the mount is served before it
 * has ended, and when it fails the mount fails. `onNegotiated` runs last, before the answer is written.
 */
export const handshake = Effect.fnUntraced(function* (
  connection: Connection,
  slot: Slot,
  options: InitOptions,
  onNegotiated: (negotiated: Negotiated) => Effect.Effect<void>
) {
  const { backend, transport } = connection
  const refuse = (error: HandshakeError | OptionError) => {
    transport.reply(slot, -errnoNumbers.EPROTO, 0)
    return Effect.fail(error)
  }
  const request = decodeInit(slot)
  if (request instanceof HandshakeError) return yield* refuse(request)
  const agreed = negotiate(request, { ...options, frameCapacity: transport.frameCapacity }, backend ?? {})
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
  yield* onNegotiated(agreed.negotiated)
  // Set before the reply is written: the next request may be read at once.
  agreeOn(connection, agreed.negotiated)
  transport.reply(slot, 0, encodeInitReply(agreed.reply, slot.view, slot.body))
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
