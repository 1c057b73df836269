import { structs } from "@bickford/protocol/codec"
import type { Slot } from "@bickford/transport"

/**
 * Whether the frame names the request to reply to. A reply to a frame cut before its `unique` would go to 0, which
 * on the wire is a notification.
 */
export const hasHeader = (slot: Slot): boolean => slot.end - slot.header >= structs.inHeader.bytes
