/** Payloads that have to outlive their slot. */
import type { FrameTransport, Slot } from "@bickford/transport"
import type { Request } from "@bickford/protocol"

/** The same request, its payload in memory of its own. */
export const withOwnPayload = (transport: FrameTransport, slot: Slot, request: Request): Request => {
  const take = (view: Uint8Array): Uint8Array => transport.takePayload(slot, view.byteOffset - slot.bytes.byteOffset, view.byteLength)
  switch (request.op) {
    case "write":
    case "ioctl":
      return { ...request, data: take(request.data) }
    case "setxattr":
      return { ...request, value: take(request.value) }
    default:
      return request
  }
}
