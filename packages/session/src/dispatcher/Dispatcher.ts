/**
 * From a frame to the backend's answer: decode, run, reply.
 *
 * A request whose operation is already an `Exit` is answered with no fiber at all. One that suspends
 * becomes a fiber of the connection, not of the dispatcher: a dispatcher that fails takes no call with
 * it. FORGET and INTERRUPT are applied at once, before the next frame.
 */
import type { FrameSink, Slot } from "@bickford/transport"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { Backend } from "../Backend.ts"
import { type Connection, offerInit } from "../connection/Connection.ts"
import type { StopReason } from "../connection/InFlightTable.ts"
import type { Diagnostics } from "../Diagnostics.ts"
import { Errno } from "../errno.ts"
import { errnoNumbers } from "../protocol/errno.ts"
import { opcodeOf, uniqueHighOf, uniqueOf } from "../protocol/frame.ts"
import { isDecodeError } from "../protocol/decodeError.ts"
import type { Request, U64 } from "../protocol/messages.ts"
import { type OpcodeRow, opcodeTable } from "../protocol/opcodes.ts"
import type { RequestContext } from "../RequestContext.ts"
import { CallContext } from "./CallContext.ts"
import { makeResponder } from "./Responder.ts"

type Handler = (request: Request, context: RequestContext) => Effect.Effect<unknown, unknown>

/** Bit 63 of `unique` marks a request delivered before (FUSE_NOTIFY_RESEND, 7.40). */
const resendBit = 1n << 63n

const withoutResendBit = (unique: U64): U64 => {
  if (typeof unique === "number") return unique
  const cleared = unique & ~resendBit
  return cleared <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(cleared) : cleared
}

/** The operations of a backend by opcode, bound to it. */
const handlersOf = (backend: Backend): ReadonlyArray<Handler | undefined> =>
  opcodeTable.map((row) => {
    if (row === undefined || !(row.op in backend)) return undefined
    const operation: unknown = Reflect.get(backend, row.op)
    // The table pairs every opcode with the operation that takes its request.
    return typeof operation === "function" ? (operation.bind(backend) as Handler) : undefined
  })

/**
 * The taker of frames for `connection`, calling the backend that is there when it is made. Fibers run
 * with the services of `context`.
 */
export const makeDispatcher = (
  connection: Connection,
  backend: Backend,
  context: Context.Context<never>,
  diagnostics: Diagnostics
): FrameSink => {
  const { counters, inFlight, nodes, transport } = connection
  const responder = makeResponder(connection, diagnostics)
  const handlers = handlersOf(backend)
  const run = Effect.runForkWith(context)

  const forget = (nodeid: U64, nlookup: U64): void => {
    const held = nodes.count(nodeid)
    if (nodes.forget(nodeid, Number(nlookup))) backend.forget?.(nodeid, held)
  }

  const interrupt = (target: U64): void => {
    const entry = inFlight.get(withoutResendBit(target))
    // Unknown: answered already. On one fd an INTERRUPT follows its request, so it cannot be early.
    if (entry === undefined || !entry.row.interruptible || entry.stopped !== undefined) return
    entry.stopped = "interrupted"
    entry.fiber.interruptUnsafe()
  }

  /** What never reaches an operation of the backend by way of a reply. True when it was handled here. */
  const applyHere = (request: Request, slot: Slot): boolean => {
    switch (request.op) {
      case "forget":
        forget(request.nodeid, request.nlookup)
        break
      case "batchForget":
        for (const { nodeid, nlookup } of request.forgets) forget(nodeid, nlookup)
        break
      case "interrupt":
        interrupt(request.target)
        break
      case "notifyReply":
        break
      case "init":
        if (connection.negotiated === undefined) offerInit(connection, slot)
        else transport.reply(slot, -errnoNumbers.EIO, 0)
        return true
      case "destroy":
        transport.reply(slot, 0, 0)
        return true
      default:
        return false
    }
    transport.release(slot)
    return true
  }

  const suspend = (slot: Slot, row: OpcodeRow, request: Request, unique: U64, fiber: Fiber.Fiber<unknown, unknown>, keepsSlot: boolean): void => {
    const place = keepsSlot ? { slot } : { detached: transport.detach(slot) }
    const entry = { unique, row, request, fiber, place, stopped: undefined as StopReason | undefined }
    inFlight.add(entry)
    fiber.addObserver((exit) => {
      if ("slot" in place) responder.toSlot(place.slot, row, request, exit, entry.stopped)
      else responder.toDetached(place.detached, row, request, exit, entry.stopped)
      inFlight.delete(unique)
    })
  }

  const dispatch = (slot: Slot, row: OpcodeRow): void => {
    counters.requests++
    const request = row.decode(slot, connection.negotiated)
    if (isDecodeError(request)) {
      counters.malformed++
      diagnostics.malformed(request.message)
      if (row.hasReply) transport.reply(slot, -errnoNumbers.EIO, 0)
      else transport.release(slot)
      return
    }
    const handler = handlers[row.opcode]
    if (handler === undefined) {
      if (applyHere(request, slot)) return
      responder.toSlot(slot, row, request, Errno.ENOSYS, undefined)
      return
    }
    if (row.op === "forget" && applyHere(request, slot)) return
    const raw = request.unique
    const unique = withoutResendBit(raw)
    const call = new CallContext(connection.id, unique, unique !== raw, request.uid, request.gid, request.pid)
    // A payload lives in its slot. When few slots are left, it moves out, so that reading can go on:
    // the request that would free the waiting ones may be the next to be read.
    const crowded = row.hasPayload && transport.freeSlots() < 2
    const owned = crowded ? withOwnPayload(slot, request) : request
    let effect: Effect.Effect<unknown, unknown>
    try {
      effect = handler(owned, call)
    } catch (defect) {
      responder.toSlot(slot, row, owned, Exit.die(defect), undefined)
      return
    }
    if (Exit.isExit(effect)) {
      responder.toSlot(slot, row, owned, effect, undefined)
      return
    }
    if (!Effect.isEffect(effect)) {
      responder.toSlot(slot, row, owned, Exit.die(new TypeError(`${row.op} did not return an Effect`)), undefined)
      return
    }
    const fiber = run(effect)
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) responder.toSlot(slot, row, owned, exit, undefined)
    else suspend(slot, row, owned, unique, fiber, row.hasPayload && !crowded)
  }

  const withOwnPayload = (slot: Slot, request: Request): Request => {
    switch (request.op) {
      case "write":
      case "ioctl":
        return { ...request, data: transport.takePayload(slot, request.data.byteOffset - slot.bytes.byteOffset, request.data.length) }
      case "setxattr":
        return { ...request, value: transport.takePayload(slot, request.value.byteOffset - slot.bytes.byteOffset, request.value.length) }
      default:
        return request
    }
  }

  return {
    onFrame: (slot) => {
      const row = opcodeTable[opcodeOf(slot)]
      if (row === undefined) {
        counters.requests++
        transport.reply(slot, -errnoNumbers.ENOSYS, 0)
      } else dispatch(slot, row)
    },
    onBatchEnd: () => transport.flush()
  }
}

/** Tells every request in flight to stop, for `reason`; each still gets its one reply when its fiber has ended. */
export const stopInFlight = (connection: Connection, reason: StopReason): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    for (const entry of [...connection.inFlight.values()]) {
      entry.stopped ??= reason
      entry.fiber.interruptUnsafe()
    }
    const cancel = connection.inFlight.whenEmpty(() => resume(Effect.void))
    return Effect.sync(cancel)
  })
