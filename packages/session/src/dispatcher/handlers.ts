/** The operations of a backend by opcode, and the answers for those that it lacks. */
import type { Negotiated, Request, WriteRequest } from "@bickford/protocol"
import { type OpcodeRow, opcodeTable } from "@bickford/protocol/codec"
import type { FrameTransport } from "@bickford/transport"
import type * as Exit from "effect/Exit"
import type { AsyncBackend } from "../Backend.ts"
import { Errno } from "../errno.ts"
import type { RequestContext } from "../RequestContext.ts"
import { writeDataOf } from "../WriteData.ts"
import { makeAbsent } from "./absent.ts"

/** An operation of a backend. It returns what it likes: an Effect, a promise, or nonsense. */
export type Handler = (this: AsyncBackend, request: Request, context: RequestContext) => unknown

/** By opcode; undefined for what the backend lacks, and for what the session does itself. */
export type Handlers = ReadonlyArray<Handler | undefined>

const isWrite = (request: Request): request is WriteRequest => request.op === "write"

/** Calls `writeBuf` with each WRITE's data, from its pipe if it is in one. Undefined for a backend without it: its `write` is called. */
const writeBufHandler = ({ writeBuf }: AsyncBackend, transport: FrameTransport): Handler | undefined =>
  writeBuf === undefined
    ? undefined
    : function (request, context) {
        if (!isWrite(request)) return Errno.EIO
        const data = writeDataOf(request.data, transport.pipedData?.(request.data))
        return writeBuf.call(this, { ...request, data }, context)
      }

/** Returns the operations of `backend` by opcode. */
export const handlersOf = (backend: AsyncBackend, transport: FrameTransport): Handlers =>
  opcodeTable.map((row) => {
    if (row === undefined || row.bySession) return undefined
    const write = row.op === "write" ? writeBufHandler(backend, transport) : undefined
    if (write !== undefined) return write
    const operation: unknown = Reflect.get(backend, row.op)
    // The table pairs every opcode with the operation that takes its request.
    return typeof operation === "function" ? (operation as Handler) : undefined
  })

/** Returns what answers a request for which `handlers` has none. */
export const absentFrom = (
  handlers: Handlers
): ((row: OpcodeRow, request: Request, negotiated: Negotiated | undefined) => Exit.Exit<unknown, unknown>) =>
  makeAbsent((operation) => opcodeTable.some((row) => row?.op === operation && handlers[row.opcode] !== undefined))
