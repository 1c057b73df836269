/** What takes WRITEs of a backend that wants their data as a value. */
import type { Request, WriteRequest } from "@bickford/protocol"
import type { FrameTransport } from "@bickford/transport"
import type { AsyncBackend } from "../Backend.ts"
import { Errno } from "../errno.ts"
import type { RequestContext } from "../RequestContext.ts"
import { writeDataOf } from "../WriteData.ts"

type Handler = (this: AsyncBackend, request: Request, context: RequestContext) => unknown

const isWrite = (request: Request): request is WriteRequest => request.op === "write"

/**
 * Calls `writeBuf` with each WRITE's data, from its pipe if it is in one. Undefined for a backend that has none: it gets what
 * `write` does.
 */
export const writeHandlerOf = ({ writeBuf }: AsyncBackend, transport: FrameTransport): Handler | undefined =>
  writeBuf === undefined
    ? undefined
    : function (request, context) {
        if (!isWrite(request)) return Errno.EIO
        const data = writeDataOf(request.data, transport.pipedData?.(request.data))
        return writeBuf.call(this, { ...request, data }, context)
      }
