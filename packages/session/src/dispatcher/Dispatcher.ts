/**
 * From a frame to the backend's answer: decode, run, reply.
 *
 * A request whose operation is already an `Exit` is answered with no fiber at all. One that suspends
 * becomes a fiber of the connection, not of the dispatcher: a dispatcher that fails takes no call with
 * it. FORGET and INTERRUPT are applied at once, before the next frame.
 */
import { patientSleep } from "@bickford/supervisor"
import type { FrameSink, FrameTransport, Slot } from "@bickford/transport"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"
import type { AsyncBackend } from "../Backend.ts"
import { type Connection, offerInit } from "../connection/Connection.ts"
import type { InFlight, StopReason } from "../connection/InFlightTable.ts"
import type { Diagnostics } from "../Diagnostics.ts"
import { Errno } from "../errno.ts"
import { decodeAs, isDecodeError, opcodeOf, type OpcodeRow, opcodeTable } from "@bickford/protocol/codec"
import { described, errnoNumbers, limits as numbers, type Request, type U64 } from "@bickford/protocol"
import type { RequestContext } from "../RequestContext.ts"
import { makeAbsent } from "./absent.ts"
import { CallContext } from "./CallContext.ts"
import { isDying } from "./callerProcess.ts"
import { makeCallerWatch } from "./callerWatch.ts"
import { makeGuard } from "./guard.ts"
import { hasHeader } from "./hasHeader.ts"
import { makeGroupCommit } from "./groupCommit.ts"
import { interruptibleOf, waitingOperations } from "./interruptible.ts"
import { type Limits, makeAdmission } from "./limits.ts"
import { withOwnPayload } from "./payload.ts"
import { answerOfPromise, failed, isThenable } from "./promises.ts"
import { makeResponder } from "./Responder.ts"
import { makeWithdrawal } from "./withdrawal.ts"
import { writeHandlerOf } from "./writeHandler.ts"

/** Returns what it likes: an Effect, a promise, or nonsense. */
type Handler = (this: AsyncBackend, request: Request, context: RequestContext) => unknown

/** How long an operation may take, and the positive errno its caller is answered when it takes longer. */
export interface Deadline {
  readonly after: Duration.Input
  readonly errno: number
}

/** Bit 63 of `unique` marks a request delivered before (FUSE_NOTIFY_RESEND, 7.40). */
const resendBit = 1n << 63n

const withoutResendBit = (unique: U64): U64 => {
  if (typeof unique === "number") return unique
  const cleared = unique & ~resendBit
  return cleared <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(cleared) : cleared
}

export interface Dispatcher extends FrameSink {
  /** Ends it: no reply is written after this. */
  readonly close: () => void
}

interface MaybeExit {
  readonly "~effect/Exit"?: unknown
}

/** As `Exit.isExit`, which asks with `in`, for every request, what an inline cache cannot answer. */
const isExit = (value: object & MaybeExit): value is Exit.Exit<unknown, unknown> => value["~effect/Exit"] !== undefined

const spanAttributes = (request: Request) => ({
  "fuse.nodeid": String(request.nodeid),
  "fuse.unique": String(request.unique),
  ...(request.uid === numbers.FUSE_INVALID_UIDGID ? {} : { "fuse.uid": request.uid }),
  "fuse.pid": request.pid
})

/** The operations of a backend by opcode. */
const handlersOf = (backend: AsyncBackend, transport: FrameTransport): ReadonlyArray<Handler | undefined> =>
  opcodeTable.map((row) => {
    if (row === undefined || row.bySession) return undefined
    const write = row.op === "write" ? writeHandlerOf(backend, transport) : undefined
    if (write !== undefined) return write
    const operation: unknown = Reflect.get(backend, row.op)
    // The table pairs every opcode with the operation that takes its request.
    return typeof operation === "function" ? (operation as Handler) : undefined
  })

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
  const { counters, handles, inFlight, nodes, transport } = connection
  const guard = makeGuard(counters, diagnostics)
  const handlers = handlersOf(backend, transport)
  const absent = makeAbsent((operation) =>
    opcodeTable.some((row) => row?.op === operation && handlers[row.opcode] !== undefined)
  )
  const withdrawal = makeWithdrawal(nodes, backend, (request) => settleUnasked(request))
  const responder = makeResponder(connection, diagnostics, guard, withdrawal.release)
  const run = Effect.runForkWith(context)
  const interruptible = interruptibleOf(backend)
  // Spans only for those who have a tracer of their own.
  const traced = context.mapUnsafe.has(Tracer.Tracer.key)

  const forget = (nodeid: U64, nlookup: U64): void => {
    const held = nodes.count(nodeid)
    // What an earlier server of the connection has handed out was never counted here.
    if (held === 0) return
    const given = Math.min(Number(nlookup), held)
    nodes.forget(nodeid, given)
    guard("forget", () => backend.forget?.(nodeid, given, held - given))
    group?.touch()
  }

  const interrupt = (target: U64): void => {
    const entry = inFlight.get(withoutResendBit(target))
    // Unknown: answered already. On one fd an INTERRUPT follows its request, so it cannot be early.
    if (entry === undefined) return
    entry.caller?.interrupt(guard)
    if (entry.stopped !== undefined) return
    if (interruptible(entry.row) === "signal") stop(entry)
    else if (isDying(entry.request.pid)) leave(entry)
    else {
      // A second signal is not told of.
      entry.signalled = true
      callers.begin()
    }
  }

  /** Stops an operation for its caller's sake. */
  const stop = (entry: InFlight): void => {
    entry.stopped = "interrupted"
    if (admission.withdraw(entry)) {
      answer(entry, Errno.EINTR)
      return
    }
    entry.fiber?.interruptUnsafe()
    entry.caller?.abort()
  }

  /** The caller will not come back: what only looks is stopped, and so is what has not begun. */
  const leave = (entry: InFlight): void => {
    entry.caller?.interrupt(guard)
    if (interruptible(entry.row) !== "never" || entry.caller === undefined) stop(entry)
    // It runs on; what it opens is closed again.
    else if (entry.row.op === "open" || entry.row.op === "opendir")
      answerEarly(entry, "interrupted", errnoNumbers.EINTR)
  }
  const callers = makeCallerWatch(inFlight, leave)

  const answer = (entry: InFlight, exit: Exit.Exit<unknown, unknown>): void => {
    const { place, request, row } = entry
    if ("slot" in place) responder.toSlot(place.slot, row, request, exit, entry.stopped)
    else responder.toDetached(place.detached, row, request, exit, entry.stopped)
    inFlight.delete(entry.unique)
  }

  /** Answers the caller before its operation has ended: what that brings is withdrawn. False when there is an answer. */
  const answerEarly = (entry: InFlight, reason: StopReason, errno: number): boolean => {
    if (entry.answered || !("detached" in entry.place)) return false
    entry.stopped = reason
    entry.answered = true
    transport.replyDetached(entry.place.detached, -errno, [])
    connection.observer?.replied(entry.row, entry.request, errno, 0)
    return true
  }

  /** The caller is answered at once; the fiber may take its time to end. */
  const expire = (entry: InFlight, errno: number): void => {
    if (!answerEarly(entry, "deadline", errno)) return
    entry.fiber?.interruptUnsafe()
    entry.caller?.abort()
  }

  const watch = (entry: InFlight, fiber: Fiber.Fiber<unknown, unknown>): void => {
    entry.fiber = fiber
    const limit = deadline(entry.row)
    const timer =
      limit === undefined
        ? undefined
        : run(
            Effect.andThen(
              patientSleep(limit.after),
              Effect.sync(() => expire(entry, limit.errno))
            )
          )
    fiber.addObserver((exit) => {
      timer?.interruptUnsafe()
      admission.leave(entry)
      // What a durable backend was stopped in is run again by its next instance, and answered then.
      if (
        entry.stopped === "restart" &&
        backend.durable === true &&
        Exit.isFailure(exit) &&
        Cause.hasInterruptsOnly(exit.cause)
      ) {
        entry.fiber = undefined
        return
      }
      if (!entry.answered) finish(entry, exit)
      else {
        if (Exit.isSuccess(exit)) withdraw(entry.request, exit.value)
        inFlight.delete(entry.unique)
      }
    })
    if (entry.row.op === "read") callers.begin()
  }

  /** The operation has its outcome: replied now, or once it is committed. */
  const finish = (entry: InFlight, exit: Exit.Exit<unknown, unknown>): void => {
    if (group === undefined) {
      answer(entry, exit)
      return
    }
    entry.fiber = undefined
    group.hold(entry, exit)
    // Within a batch of frames its end commits; unless there is no slot left to read the next one into.
    if (!inBatch || transport.freeSlots() === 0) group.flush()
  }

  /** Runs a handler; an answer that is there at once is an `Exit`, else the fiber that works on it. */
  const call = (
    handler: Handler,
    request: Request,
    caller: CallContext
  ): Exit.Exit<unknown, unknown> | Fiber.Fiber<unknown, unknown> => {
    let effect: Effect.Effect<unknown, unknown>
    try {
      const answer = handler.call(backend, request, caller)
      if (answer !== null && answer !== undefined && isExit(answer)) return answer
      effect = effectOf(answer, request, caller)
    } catch (thrown) {
      return failed(thrown)
    }
    const fiber = run(
      traced ? Effect.withSpan(effect, `fuse.${request.op}`, { attributes: spanAttributes(request) }) : effect
    )
    return fiber.pollUnsafe() ?? fiber
  }

  /** What an operation has returned, if it is no Exit. */
  const effectOf = (answer: unknown, request: Request, caller: CallContext): Effect.Effect<unknown, unknown> => {
    if (Effect.isEffect(answer)) return answer as Effect.Effect<unknown, unknown>
    if (isThenable(answer))
      return answerOfPromise(
        answer,
        () => caller.abort(),
        (late) => withdraw(request, late)
      )
    return Exit.die(
      new TypeError(
        `${request.op} returned ${described(answer)}; expected: an Effect or a promise. ` +
          "(Callbacks by path, which return values, become a backend by PathFilesystem.make.)"
      )
    )
  }

  /** What an operation has brought when its caller had been answered already is undone. */
  const withdraw = (request: Request, value: unknown): void =>
    guard(`${request.op} that nobody waited for`, () => withdrawal.all(request, value))

  /** Runs an operation that no caller asked for. */
  const settleUnasked = (request: Request): void => {
    const handler = handlers.find((_, opcode) => opcodeTable[opcode]?.op === request.op)
    if (handler === undefined) return
    const outcome = call(handler, request, new CallContext(connection.id, request.unique, false, request))
    const report = (exit: Exit.Exit<unknown, unknown>): void => {
      if (Exit.isFailure(exit)) diagnostics.threw(request.op, Cause.squash(exit.cause))
    }
    if (isExit(outcome)) report(outcome)
    else outcome.addObserver(report)
  }

  const again = (entry: InFlight): Exit.Exit<unknown, unknown> | Fiber.Fiber<unknown, unknown> => {
    entry.stopped = undefined
    const handler = handlers[entry.row.opcode]
    if (handler === undefined) return absent(entry.row, entry.request, connection.negotiated)
    // What never began is not run again: nobody has seen it.
    const caller = new CallContext(
      connection.id,
      entry.unique,
      entry.caller !== undefined || entry.unique !== entry.request.unique,
      entry.request
    )
    entry.caller = caller
    return call(handler, entry.request, caller)
  }

  const rerun = (entry: InFlight): void => {
    const outcome = again(entry)
    if (isExit(outcome)) finish(entry, outcome)
    else {
      admission.enter(entry)
      watch(entry, outcome)
    }
  }

  const admission = makeAdmission(limits, waitingOperations(backend), rerun)

  let inBatch = false
  const delivered =
    backend.delivered === undefined
      ? undefined
      : (uniques: ReadonlyArray<U64>) => guard("delivered", () => backend.delivered?.(uniques))
  const group =
    backend.durable === true && backend.commit !== undefined
      ? makeGroupCommit({ commit: backend.commit, run, again, suspended: watch, answer, delivered })
      : undefined

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
        connection.notifier.retrieved(request.unique, request.data)
        break
      case "init":
        if (connection.negotiated === undefined || connection.resumed) offerInit(connection, slot)
        else transport.reply(slot, -errnoNumbers.EIO, 0)
        return true
      case "destroy":
        group?.flush()
        transport.reply(slot, 0, 0)
        return true
      default:
        return false
    }
    transport.release(slot)
    return true
  }

  /** Answers an opcode that is not of the protocol. */
  const refuse = (slot: Slot): void => {
    counters.requests++
    if (hasHeader(slot)) {
      transport.reply(slot, -errnoNumbers.ENOSYS, 0)
      return
    }
    counters.malformed++
    diagnostics.malformed(`a frame of ${slot.end - slot.header} bytes has no header`)
    transport.release(slot)
  }

  const dispatch = (slot: Slot, row: OpcodeRow): void => {
    counters.requests++
    const request = decodeAs(row, slot, connection.negotiated)
    if (isDecodeError(request)) {
      counters.malformed++
      diagnostics.malformed(request.message)
      if (row.hasReply && hasHeader(slot)) transport.reply(slot, -errnoNumbers.EIO, 0)
      else transport.release(slot)
      return
    }
    connection.observer?.received(row, request)
    if (row.op === "release" || row.op === "releasedir") handles.forget(request.nodeid, 1)
    const handler = handlers[row.opcode]
    if (handler === undefined) {
      if (!applyHere(request, slot))
        responder.toSlot(slot, row, request, absent(row, request, connection.negotiated), undefined)
      return
    }
    // A payload lives in its slot. When few slots are left it moves out, so that reading can go on: the
    // request that would free the waiting ones may be the next to be read. Likewise under a deadline,
    // whose reply gives the slot back while the fiber may still be looking at it.
    const keepsSlot = row.hasPayload && transport.freeSlots() >= 2 && deadline(row) === undefined
    const owned = row.hasPayload && !keepsSlot ? withOwnPayload(transport, slot, request) : request
    const unique = withoutResendBit(request.unique)
    if (!admission.admits(owned)) {
      const kept = keepsSlot ? withOwnPayload(transport, slot, owned) : owned
      const waiting: InFlight = {
        unique,
        row,
        request: kept,
        place: { detached: transport.detach(slot) },
        caller: undefined,
        fiber: undefined,
        stopped: undefined,
        answered: false,
        signalled: false,
        looked: false
      }
      inFlight.add(waiting)
      admission.enqueue(waiting)
      return
    }
    const caller = new CallContext(connection.id, unique, unique !== request.unique, owned)
    const outcome = call(handler, owned, caller)
    if (isExit(outcome) && group === undefined) {
      responder.toSlot(slot, row, owned, outcome, undefined)
      return
    }
    // What is held for a commit keeps its slot, unless it is the last.
    const keeps = keepsSlot || (isExit(outcome) && !row.hasPayload)
    const place = keeps ? { slot } : { detached: transport.detach(slot) }
    const entry: InFlight = {
      unique,
      row,
      request: owned,
      place,
      caller,
      fiber: undefined,
      stopped: undefined,
      answered: false,
      signalled: false,
      looked: false
    }
    inFlight.add(entry)
    if (isExit(outcome)) finish(entry, outcome)
    else {
      admission.enter(entry)
      watch(entry, outcome)
    }
  }

  for (const entry of inFlight.values()) if (entry.fiber === undefined) rerun(entry)

  return {
    onFrame: (slot) => {
      inBatch = true
      const row = opcodeTable[opcodeOf(slot)]
      if (row === undefined) refuse(slot)
      else dispatch(slot, row)
    },
    onBatchEnd: () => {
      inBatch = false
      const replied = group?.flush()
      transport.flush()
      return replied
    },
    close: () => {
      callers.close()
      group?.close()
    }
  }
}

/** Tells every request in flight to stop, for `reason`, and waits until their fibers have ended; each gets its one reply. */
export const stopInFlight = (connection: Connection, reason: StopReason): Effect.Effect<void> =>
  Effect.suspend(() => {
    const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
    const callers: Array<InFlight["caller"]> = []
    for (const entry of connection.inFlight.values()) {
      if (entry.fiber === undefined) {
        // Not begun, and nobody is left to be answered.
        if (reason === "shutdown") connection.inFlight.delete(entry.unique)
        continue
      }
      entry.stopped ??= reason
      fibers.push(entry.fiber)
      callers.push(entry.caller)
    }
    // An operation may be deaf to interruption and listen to its signal.
    return Effect.andThen(
      Effect.sync(() => callers.forEach((caller) => caller?.abort())),
      Fiber.interruptAll(fibers)
    )
  })
