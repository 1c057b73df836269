/** Frames that are no request of the protocol: counted, logged, and answered if they say what to reply to. */
import { errnoNumbers } from "@bickford/protocol"
import type { OpcodeRow } from "@bickford/protocol/codec"
import type { Slot } from "@bickford/transport"
import type { Connection } from "../connection/Connection.ts"
import type { Diagnostics } from "../Diagnostics.ts"
import { hasHeader } from "./hasHeader.ts"

export interface Malformed {
  /** Takes a frame whose opcode is not of the protocol: ENOSYS, or no reply where the header is cut. */
  readonly opcode: (slot: Slot) => void
  /** Takes a frame that does not decode: EIO, or no reply where none is expected or the header is cut. */
  readonly frame: (slot: Slot, row: OpcodeRow, reason: string) => void
}

export const makeMalformed = ({ counters, transport }: Connection, diagnostics: Diagnostics): Malformed => ({
  opcode: (slot) => {
    counters.requests++
    if (hasHeader(slot)) {
      transport.reply(slot, -errnoNumbers.ENOSYS, 0)
      return
    }
    counters.malformed++
    diagnostics.malformed(`a frame of ${slot.end - slot.header} bytes has no header`)
    transport.release(slot)
  },
  frame: (slot, row, reason) => {
    counters.malformed++
    diagnostics.malformed(reason)
    if (row.hasReply && hasHeader(slot)) transport.reply(slot, -errnoNumbers.EIO, 0)
    else transport.release(slot)
  }
})
