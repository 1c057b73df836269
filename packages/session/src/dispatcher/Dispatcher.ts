/**
 * From a frame to the backend's answer: decode, run, reply.
 *
 * A request whose operation is already an `Exit` is answered here, with no fiber at all. One that suspends becomes a
 * fiber of the connection, not of the dispatcher (`pending.ts`): a dispatcher that fails takes no call with it. FORGET
 * and INTERRUPT are applied at once, before the next frame (`ownRequests.ts`).
 */
import type { Request } from "@bickford/protocol"
import { decodeAs, isDecodeError, opcodeOf, type OpcodeRow, opcodeTable } from "@bickford/protocol/codec"
import type { Slot } from "@bickford/transport"
import type * as Context from "effect/Context"
import type { AsyncBackend } from "../Backend.ts"
import type { Connection, RequestSink } from "../connection/Connection.ts"
import { type InFlight, makeInFlight } from "../connection/InFlightTable.ts"
import type { Diagnostics } from "../Diagnostics.ts"
import { makeAnswers } from "./answers.ts"
import { CallContext } from "./CallContext.ts"
import { isExit, makeCalls, type Outcome } from "./calls.ts"
import type { Deadline } from "./deadline.ts"
import { makeGuard } from "./guard.ts"
import { absentFrom, type Handler, handlersOf } from "./handlers.ts"
import type { Limits } from "./limits.ts"
import { makeMalformed } from "./malformed.ts"
import { makeOwnRequests } from "./ownRequests.ts"
import { withOwnPayload } from "./payload.ts"
import { makePending } from "./pending.ts"
import { makeResponder } from "./Responder.ts"
import { withoutResendBit } from "./unique.ts"

export interface Dispatcher extends RequestSink {
  /** Ends it: no reply is written after this. */
  readonly close: () => void
}

/** The parts of a dispatcher, each made once. */
const makeParts = (
  connection: Connection,
  backend: AsyncBackend,
  context: Context.Context<never>,
  diagnostics: Diagnostics,
  deadline: (row: OpcodeRow) => Deadline | undefined,
  limits: Limits
) => {
  const guard = makeGuard(connection.counters, diagnostics)
  const handlers = handlersOf(backend, connection.transport)
  const absent = absentFrom(handlers)
  const calls = makeCalls(connection, backend, handlers, context, diagnostics, guard)
  const responder = makeResponder(connection, diagnostics, guard, calls.release)
  const answers = makeAnswers(connection, responder)

  const again = (entry: InFlight): Outcome => {
    entry.stopped = undefined
    const handler = handlers[entry.row.opcode]
    if (handler === undefined) return absent(entry.row, entry.request, connection.negotiated)
    // What never began is not run again: nobody has seen it.
    const resent = entry.caller !== undefined || entry.unique !== entry.request.unique
    const caller = new CallContext(connection.id, entry.unique, resent, entry.request)
    entry.caller = caller
    return calls.call(handler, entry.request, caller)
  }

  const pending = makePending({ connection, backend, context, guard, calls, answers, deadline, limits, again })
  const ownRequests = makeOwnRequests(connection, backend, guard, pending)
  return {
    absent,
    call: calls.call,
    handlers,
    malformed: makeMalformed(connection, diagnostics),
    ownRequests,
    pending,
    responder
  }
}

/**
 * The taker of frames for `connection`, calling the backend that is there when it is made. Fibers run
 * with the services of `context`. Calls that an earlier instance of a durable backend was stopped in
 * are run again first.
 */
export const makeDispatcher = (
  connection: Connection,
  backend: AsyncBackend,
  context: Context.Context<never>,
  diagnostics: Diagnostics,
  deadline: (row: OpcodeRow) => Deadline | undefined,
  limits: Limits
): Dispatcher => {
  const { counters, handles, transport } = connection
  const parts = makeParts(connection, backend, context, diagnostics, deadline, limits)
  const { absent, call, handlers, malformed, ownRequests, pending, responder } = parts
  const { admits, commits, startBatch } = pending

  const wait = (slot: Slot, row: OpcodeRow, request: Request): void => {
    const place = { detached: transport.detach(slot) }
    pending.wait(makeInFlight(withoutResendBit(request.unique), row, request, place, undefined))
  }

  /** Runs an operation. `keepsSlot`: the request's payload lies in its slot. */
  const begin = (slot: Slot, row: OpcodeRow, request: Request, handler: Handler, keepsSlot: boolean): void => {
    const unique = withoutResendBit(request.unique)
    const caller = new CallContext(connection.id, unique, unique !== request.unique, request)
    const outcome = call(handler, request, caller)
    if (isExit(outcome) && !commits) {
      responder.toSlot(slot, row, request, outcome, undefined)
      return
    }
    // What is held for a commit keeps its slot, unless it is the last.
    const keeps = keepsSlot || (isExit(outcome) && !row.hasPayload)
    const place = keeps ? { slot } : { detached: transport.detach(slot) }
    pending.add(makeInFlight(unique, row, request, place, caller), outcome)
  }

  const dispatch = (slot: Slot, row: OpcodeRow): void => {
    counters.requests++
    const request = decodeAs(row, slot, connection.negotiated)
    if (isDecodeError(request)) {
      malformed.frame(slot, row, request.message)
      return
    }
    connection.observer?.received(row, request)
    if (row.op === "release" || row.op === "releasedir") handles.forget(request.nodeid, 1)
    const handler = handlers[row.opcode]
    if (handler === undefined) {
      if (!ownRequests(request, slot))
        responder.toSlot(slot, row, request, absent(row, request, connection.negotiated), undefined)
      return
    }
    // A payload lives in its slot. When few slots are left it moves out, so that reading can go on: the
    // request that would free the waiting ones may be the next to be read. Likewise under a deadline,
    // whose reply gives the slot back while the fiber may still be looking at it.
    const keepsSlot = row.hasPayload && transport.freeSlots() >= 2 && deadline(row) === undefined
    const owned = row.hasPayload && !keepsSlot ? withOwnPayload(transport, slot, request) : request
    if (admits(owned)) begin(slot, row, owned, handler, keepsSlot)
    else wait(slot, row, keepsSlot ? withOwnPayload(transport, slot, owned) : owned)
  }

  return {
    onFrame: (slot) => {
      startBatch()
      const row = opcodeTable[opcodeOf(slot)]
      if (row === undefined) malformed.opcode(slot)
      else dispatch(slot, row)
    },
    onBatchEnd: () => {
      const replied = pending.endBatch()
      transport.flush()
      return replied
    },
    interrupt: pending.interrupt,
    close: pending.close
  }
}
