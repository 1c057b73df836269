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
import type { Guard } from "./guard.ts"
import { isErrnoError, wireErrno } from "../errno.ts"
import { errnoNumbers } from "@bickford/protocol"
import { encodeReply, isReplyRefusal, type Memory, memoryOf, type OpcodeRow, replyData, replyRange } from "@bickford/protocol/codec"
import type { Request, U64 } from "@bickford/protocol"

export interface Responder {
  /** Replies through the request's slot and gives it back. */
  readonly toSlot: (slot: Slot, row: OpcodeRow, request: Request, exit: Exit.Exit<unknown, unknown>, stopped: StopReason | undefined) => void
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

type Failure = Exit.Failure<unknown, unknown>

const noViews: ReadonlyArray<Uint8Array> = []

const viewsLength = (views: ReadonlyArray<Uint8Array>): number => {
  let length = 0
  for (const view of views) length += view.length
  return length
}

/** What a reply was made of has been sent. */
const dispose = (data: unknown, guard: Guard): void => {
  if (Array.isArray(data) && Symbol.dispose in data) guard("Symbol.dispose of what was read", () => (data as Partial<Disposable>)[Symbol.dispose]?.())
}

export const makeResponder = (connection: Connection, diagnostics: Diagnostics, guard: Guard): Responder => {
  const { handles, nodes, transport } = connection
  const scratch = memoryOf(new Uint8Array(scratchSize).fill(0))
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
    for (const reason of cause.reasons) {
      if (!Cause.isFailReason(reason) || !isErrnoError(reason.error)) continue
      lastFailure = exit
      lastError = -wireErrno(reason.error)
      return lastError
    }
    if (stopped !== undefined && Cause.hasInterruptsOnly(cause)) return -stopErrno(stopped)
    connection.counters.defects++
    diagnostics.defect(row.name, request.nodeid, cause)
    return -errnoNumbers.EIO
  }

  /** After the write: the kernel holds what it took; of what it did not take it knows nothing. */
  const settle = (row: OpcodeRow, request: Request, error: number, bytes: number, written: number): void => {
    if (written === 0) {
      for (let i = 0; i < lookupCount; i++) nodes.add(lookups[i] ?? 0)
      // What CREATE and TMPFILE open is the node that they tell of.
      if (error === 0 && row.opensHandle) handles.add(lookupCount > 0 ? lookups[0] ?? 0 : request.nodeid)
    } else {
      for (let i = 0; i < lookupCount; i++) {
        const nodeid = lookups[i] ?? 0
        if (nodes.count(nodeid) === 0) guard("forget", () => connection.backend?.forget?.(nodeid, 1))
      }
      // ENOENT: the caller is gone or the connection was aborted; nobody waits for this reply.
      if (written !== -errnoNumbers.ENOENT) diagnostics.rejected(row.name, -written)
    }
    lookupCount = 0
    connection.observer?.replied(row, request, -error, bytes)
  }

  /** The body's length at `offset`, or the negative errno for what the backend returned. */
  const encode = (row: OpcodeRow, request: Request, value: unknown, memory: Memory, offset: number, capacity: number): number => {
    const length = encodeReply(row, value, request, connection.negotiated, memory, offset, capacity, count)
    if (!isReplyRefusal(length)) return length
    lookupCount = 0
    // The caller left no room for an answer, as getdents(2) has it: that is no fault of the backend's.
    if (length.errno === "EINVAL") return -errnoNumbers.EINVAL
    connection.counters.defects++
    diagnostics.refused(row.name, request.nodeid, length.reason)
    return -errnoNumbers[length.errno]
  }

  return {
    toSlot: (slot, row, request, exit, stopped) => {
      if (exit._tag === "Failure") {
        const error = failure(row, request, exit, stopped)
        settle(row, request, error, 0, transport.reply(slot, error, 0))
        return
      }
      const views = replyData(row, exit.value, request)
      if (views !== undefined) {
        settle(row, request, 0, viewsLength(views), transport.replyData(slot, views))
        dispose(exit.value, guard)
        return
      }
      const range = replyRange(row, exit.value, request)
      if (range !== undefined) {
        settle(row, request, 0, range.length, transport.replyFile(slot, range))
        return
      }
      const length = encode(row, request, exit.value, slot, slot.body, slot.bodyCapacity)
      if (length < 0) settle(row, request, length, 0, transport.reply(slot, length, 0))
      else settle(row, request, 0, length, transport.reply(slot, 0, length))
    },
    toDetached: (detached, row, request, exit, stopped) => {
      if (exit._tag === "Failure") {
        const error = failure(row, request, exit, stopped)
        settle(row, request, error, 0, transport.replyDetached(detached, error, noViews))
        return
      }
      const views = replyData(row, exit.value, request)
      if (views !== undefined) {
        settle(row, request, 0, viewsLength(views), transport.replyDetached(detached, 0, views))
        dispose(exit.value, guard)
        return
      }
      const range = replyRange(row, exit.value, request)
      if (range !== undefined) {
        settle(row, request, 0, range.length, transport.replyFileDetached(detached, range))
        return
      }
      const length = encode(row, request, exit.value, scratch, 0, scratchSize)
      if (length < 0) settle(row, request, length, 0, transport.replyDetached(detached, length, noViews))
      else settle(row, request, 0, length, transport.replyDetached(detached, 0, [scratch.bytes.subarray(0, length)]))
    }
  }
}
