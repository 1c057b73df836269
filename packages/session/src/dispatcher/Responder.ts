/**
 * Exactly one reply: the only place where an `Exit` becomes bytes.
 *
 * Success is encoded in place in the request's slot, a typed errno is its number, a defect is EIO with
 * a log line, an interruption is what the reason for it says. An entry reply counts as a lookup only
 * once the kernel has taken it.
 */
import type { DetachedRequest, Slot } from "@bickford/transport"
import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import type { Connection } from "../connection/Connection.ts"
import type { StopReason } from "../connection/InFlightTable.ts"
import type { Diagnostics } from "../Diagnostics.ts"
import { answerFault } from "./answerFault.ts"
import type { Guard } from "./guard.ts"
import { placeOf } from "./place.ts"
import { errnoErrorNamed, errnoOf, isErrnoError, wireErrno } from "../errno.ts"
import { errnoName, errnoNumbers, operations, type DataPart, type Request, type U64 } from "@bickford/protocol"
import {
  encodeReply,
  isReplyRefusal,
  type Memory,
  memoryOf,
  type OpcodeRow,
  refusalOf,
  replyData,
  replyParts,
  type ReplyRefusal,
  viewsLength
} from "@bickford/protocol/codec"

export interface Responder {
  /** Replies through the request's slot and gives it back. */
  readonly toSlot: (
    slot: Slot,
    row: OpcodeRow,
    request: Request,
    exit: Exit.Exit<unknown, unknown>,
    stopped: StopReason | undefined
  ) => void
  /** Replies to a request whose slot was given back before. */
  readonly toDetached: (
    detached: DetachedRequest,
    row: OpcodeRow,
    request: Request,
    exit: Exit.Exit<unknown, unknown>,
    stopped: StopReason | undefined
  ) => void
}

/** Body bytes that a detached reply can have; as much as a slot's own area. */
const scratchSize = 256 * 1024
/**
 * Where the bodies of detached replies are encoded, touched before its first use. All connections of the thread share it: a
 * reply has been written, or copied, when the call that encodes it returns.
 */
const scratch = memoryOf(new Uint8Array(scratchSize).fill(0))

/** What a caller is answered whose operation was stopped for this reason, as a positive errno. */
const stopErrno = (reason: StopReason | undefined): number => {
  switch (reason) {
    case "interrupted":
      return errnoNumbers.EINTR
    case "deadline":
      return errnoNumbers.ETIMEDOUT
    default:
      return errnoNumbers.EIO
  }
}

type AnyExit = Exit.Exit<unknown, unknown>
type Failure = Exit.Failure<unknown, unknown>

const noViews: ReadonlyArray<Uint8Array> = []

/** What a reply was made of has been sent. */
const dispose = (data: unknown, guard: Guard): void => {
  if (Array.isArray(data))
    guard("Symbol.dispose of what was read", () => (data as Partial<Disposable>)[Symbol.dispose]?.())
}

/** Whether a failure is what came of stopping the operation: an interruption, or a `signal` that was aborted. */
const isOfStopping = (cause: Cause.Cause<unknown>): boolean => {
  if (Cause.hasInterruptsOnly(cause)) return true
  const thrown = Cause.squash(cause)
  return thrown instanceof Error && thrown.name === "AbortError"
}

/** A reply, until it is sent. Of `views`, `parts` and a body of `length` bytes encoded in place it has one; with an `error` none. */
interface Composed {
  /** 0 or a negative errno. */
  error: number
  length: number
  views: ReadonlyArray<Uint8Array> | undefined
  parts: ReadonlyArray<DataPart> | undefined
  /** What the operation succeeded with. */
  value: unknown
}

/** `release`: has the backend close what a reply that was not taken had opened. */
export const makeResponder = (
  connection: Connection,
  diagnostics: Diagnostics,
  guard: Guard,
  release: (request: Request, value: unknown) => unknown
): Responder => {
  const { handles, nodes, transport } = connection
  /** Node ids that the reply being encoded hands to the kernel: one lookup each. */
  const lookups: Array<U64> = []
  // The array never shrinks: setting its length costs more than all the rest here.
  let lookupCount = 0
  const count = (nodeid: U64): void => {
    lookups[lookupCount++] = nodeid
  }

  // Failures are few and met again and again: the last one's number needs no looking for.
  let lastFailure: Failure | undefined
  let lastError = 0

  /** The negative errno that a failed exit is answered with. */
  const failure = (row: OpcodeRow, request: Request, exit: Failure, stopped: StopReason | undefined): number => {
    if (exit === lastFailure) return lastError
    const { cause } = exit
    let error = errnoNumbers.EIO as number
    for (const reason of cause.reasons) {
      if (Cause.isFailReason(reason)) {
        const known = isErrnoError(reason.error) ? reason.error : errnoOf(reason.error)
        if (known === undefined) continue
        lastFailure = exit
        lastError = -wireErrno(known)
        return lastError
      }
      // What was thrown is a defect; if it is a system call's error (Node's, with its `code`) the caller is told which.
      if (Cause.isDieReason(reason) && reason.defect instanceof Error)
        error = wireErrno(errnoOf(reason.defect) ?? errnoErrorNamed("EIO"))
    }
    if (stopped !== undefined && isOfStopping(cause)) return -stopErrno(stopped)
    connection.counters.defects++
    diagnostics.defect(`${row.op} of ${placeOf(connection.backend, request)}`, cause, errnoName(error) ?? "EIO")
    return -error
  }

  /** Has the backend undo an open that the kernel does not know of. */
  const withdrawOpen = (row: OpcodeRow, request: Request, value: unknown): void =>
    guard(`${row.op} that nobody waited for`, () => release(request, value))

  /** After the write: the kernel holds what it took; of what it did not take it knows nothing. */
  const settle = (
    row: OpcodeRow,
    request: Request,
    value: unknown,
    error: number,
    bytes: number,
    written: number
  ): void => {
    if (written === 0) {
      for (let i = 0; i < lookupCount; i++) nodes.add(lookups[i] ?? 0)
      // What CREATE and TMPFILE open is the node that they tell of.
      if (error === 0 && row.opensHandle) handles.add(lookupCount > 0 ? (lookups[0] ?? 0) : request.nodeid)
    } else {
      if (error === 0 && row.opensHandle) withdrawOpen(row, request, value)
      for (let i = 0; i < lookupCount; i++) {
        const nodeid = lookups[i] ?? 0
        guard("forget", () => connection.backend?.forget?.(nodeid, 1, nodes.count(nodeid)))
      }
      // ENOENT: the caller is gone or the connection was aborted; nobody waits for this reply.
      if (written !== -errnoNumbers.ENOENT) diagnostics.rejected(row.name, -written)
    }
    lookupCount = 0
    connection.observer?.replied(row, request, -error, bytes)
  }

  /** The negative errno for an answer that cannot be sent. */
  const refused = (row: OpcodeRow, request: Request, refusal: ReplyRefusal, answer?: unknown): number => {
    lookupCount = 0
    // The caller left no room for an answer, as getdents(2) has it: that is no fault of the backend's.
    if (refusal.errno === "EINVAL") return -errnoNumbers.EINVAL
    connection.counters.defects++
    const fault = refusal.errno === "EIO" ? answerFault(operations[row.op].reply, answer) : undefined
    diagnostics.refused(
      `${row.op} of ${placeOf(connection.backend, request)}`,
      fault ?? `what cannot be sent: ${refusal.reason}`,
      refusal.errno
    )
    return -errnoNumbers[refusal.errno]
  }

  const reply: Composed = { error: 0, length: 0, views: undefined, parts: undefined, value: undefined }

  const composeValue = (
    row: OpcodeRow,
    request: Request,
    value: unknown,
    memory: Memory,
    offset: number,
    capacity: number
  ): void => {
    reply.views = replyData(row, value, request)
    if (reply.views !== undefined) {
      reply.length = viewsLength(reply.views)
      return
    }
    reply.parts = replyParts(row, value, request)
    if (reply.parts !== undefined) {
      reply.length = viewsLength(reply.parts)
      return
    }
    const length = encodeReply(row, value, request, connection.negotiated, memory, offset, capacity, count)
    if (isReplyRefusal(length)) reply.error = refused(row, request, length, value)
    else reply.length = length
  }

  /** Makes `reply` of an exit. Whatever a backend has answered, nothing leaves here but a reply that can be sent. */
  const compose = (
    row: OpcodeRow,
    request: Request,
    exit: AnyExit,
    stopped: StopReason | undefined,
    memory: Memory,
    offset: number,
    capacity: number
  ): void => {
    reply.error = 0
    reply.length = 0
    reply.views = undefined
    reply.parts = undefined
    reply.value = undefined
    try {
      if (exit._tag === "Failure") reply.error = failure(row, request, exit, stopped)
      else if (exit._tag === "Success") {
        const { value } = exit
        reply.value = value
        composeValue(row, request, value, memory, offset, capacity)
      } else reply.error = refused(row, request, refusalOf("what is no Exit was returned as one"))
    } catch (thrown) {
      reply.views = undefined
      reply.parts = undefined
      reply.error = refused(row, request, refusalOf(thrown), reply.value)
    }
  }

  return {
    toSlot: (slot, row, request, exit, stopped) => {
      compose(row, request, exit, stopped, slot, slot.body, slot.bodyCapacity)
      const { error, length, parts, value, views } = reply
      if (views !== undefined) {
        settle(row, request, value, 0, length, transport.replyData(slot, views))
        dispose(value, guard)
      } else if (parts !== undefined) {
        settle(row, request, value, 0, length, transport.replyParts(slot, parts))
        dispose(value, guard)
      } else settle(row, request, value, error, length, transport.reply(slot, error, length))
    },
    toDetached: (detached, row, request, exit, stopped) => {
      compose(row, request, exit, stopped, scratch, 0, scratchSize)
      const { error, length, parts, value, views } = reply
      if (views !== undefined) {
        settle(row, request, value, 0, length, transport.replyDetached(detached, 0, views))
        dispose(value, guard)
      } else if (parts !== undefined) {
        settle(row, request, value, 0, length, transport.replyPartsDetached(detached, parts))
        dispose(value, guard)
      } else
        settle(
          row,
          request,
          value,
          error,
          length,
          transport.replyDetached(detached, error, error === 0 ? [scratch.bytes.subarray(0, length)] : noViews)
        )
    }
  }
}
