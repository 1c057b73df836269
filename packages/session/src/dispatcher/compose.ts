/** Makes a reply of an `Exit`, encoded where it is told to. Whatever a backend has answered, what comes of it can be sent. */
import { type DataPart, errnoNumbers, operations, type Request } from "@bickford/protocol"
import {
  encodeReply,
  isReplyRefusal,
  type Memory,
  type OpcodeRow,
  refusalOf,
  replyData,
  replyParts,
  type ReplyRefusal,
  viewsLength
} from "@bickford/protocol/codec"
import type * as Exit from "effect/Exit"
import type { Connection } from "../connection/Connection.ts"
import type { StopReason } from "../connection/InFlightTable.ts"
import type { Diagnostics } from "../Diagnostics.ts"
import { answerFault } from "./answerFault.ts"
import { makeFailures } from "./failures.ts"
import type { Lookups } from "./lookups.ts"
import { placeOf } from "./place.ts"

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

/** Composes into the same object each time: it holds until the next call. */
export interface Composer {
  readonly reply: Readonly<Composed>
  readonly compose: (
    row: OpcodeRow,
    request: Request,
    exit: Exit.Exit<unknown, unknown>,
    stopped: StopReason | undefined,
    memory: Memory,
    offset: number,
    capacity: number
  ) => void
}

export const makeComposer = (connection: Connection, diagnostics: Diagnostics, lookups: Lookups): Composer => {
  const failure = makeFailures(connection, diagnostics)

  /** The negative errno for an answer that cannot be sent. */
  const refused = (row: OpcodeRow, request: Request, refusal: ReplyRefusal, answer?: unknown): number => {
    lookups.length = 0
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
    const length = encodeReply(row, value, request, connection.negotiated, memory, offset, capacity, lookups.count)
    if (isReplyRefusal(length)) reply.error = refused(row, request, length, value)
    else reply.length = length
  }

  /** Makes `reply` of an exit. Whatever a backend has answered, nothing leaves here but a reply that can be sent. */
  const compose = (
    row: OpcodeRow,
    request: Request,
    exit: Exit.Exit<unknown, unknown>,
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

  return { reply, compose }
}
