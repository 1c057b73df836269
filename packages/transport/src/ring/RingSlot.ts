/** A slot of a ring: one entry, whose parts lie apart in the memory of all entries. */
import { type Memory, structs } from "@bickford/protocol/codec"
import type { DetachedRequest, Slot } from "../FrameTransport.ts"
import { argsOffset, payloadSizeOffset } from "./Ring.ts"

const { unique } = structs.inHeader

/**
 * An entry is its request's until the reply, so it is the request that it was detached from, too. Its reply is encoded where the
 * payload of the request lies: by then the backend has read it.
 */
export class RingSlot implements Slot, DetachedRequest {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly words: Uint32Array
  readonly header: number
  readonly args: number
  payload: number
  end: number
  apart: Uint8Array | undefined = undefined
  readonly body: number
  readonly bodyCapacity: number
  /** The entry's number. */
  readonly entry: number
  /** The request's reply is owed. */
  held = false
  /** Index in `words` of the number of bytes in the payload. */
  readonly payloadSize: number

  constructor(memory: Memory, entry: number, header: number, payload: number, capacity: number) {
    this.bytes = memory.bytes
    this.view = memory.view
    this.words = memory.words
    this.header = header
    this.args = header + argsOffset
    this.payload = payload
    this.end = payload
    this.body = payload
    this.bodyCapacity = capacity
    this.entry = entry
    this.payloadSize = (header + payloadSizeOffset) >> 2
  }

  get uniqueLow(): number {
    return this.view.getUint32(this.header + unique, true)
  }

  get uniqueHigh(): number {
    return this.view.getUint32(this.header + unique + 4, true)
  }
}
