/** Requests' data that lies in the memory of a slot. */
import { operations, type Request } from "@bickford/protocol"
import type { FrameTransport, Slot } from "@bickford/transport"

/** The data of a request that carries some. */
export const payloadOf = (request: Request): Uint8Array | undefined => {
  const { payload } = operations[request.op]
  if (payload === "data" && "data" in request) return request.data
  return payload === "value" && "value" in request ? request.value : undefined
}

/** The same request, its payload in memory of its own, which outlives the slot. */
export const withOwnPayload = (transport: FrameTransport, slot: Slot, request: Request): Request => {
  const { payload } = operations[request.op]
  const view = payloadOf(request)
  if (payload === undefined || view === undefined) return request
  return {
    ...request,
    [payload]: transport.takePayload(slot, view.byteOffset - slot.bytes.byteOffset, view.byteLength)
  }
}
