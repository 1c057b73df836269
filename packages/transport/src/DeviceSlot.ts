/** A transport's slots: all their memory is one piece, touched and locked before the first read. */
import { structs } from "@bickford/protocol/codec"
import { type Channel, makeChannel } from "./channel.ts"
import type { Slot } from "./FrameTransport.ts"
import type { FuseHandle } from "./native.ts"

/** Bytes of `struct fuse_in_header`. */
export const inHeaderSize = structs.inHeader.bytes
/** Bytes of `struct fuse_out_header`. */
export const outHeaderSize = structs.outHeader.bytes
/** Bytes of `struct fuse_write_in`. */
export const writeInSize = structs.writeIn.bytes

const page = 4096
const wholePages = (bytes: number): number => Math.ceil(bytes / page) * page

export class DeviceSlot implements Slot {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly words: Uint32Array
  readonly header = 0
  readonly args = inHeaderSize
  readonly payload = inHeaderSize
  end = 0
  apart: Uint8Array | undefined = undefined
  readonly body: number
  readonly bodyCapacity: number
  /** Where the slot lies in the memory. */
  readonly base: number
  /** The 16 bytes before the body. */
  readonly outHeader: Uint8Array
  /** With the pool: not delivered, or given back. */
  free = true

  constructor(memory: ArrayBuffer, base: number, frameCapacity: number, bodyCapacity: number) {
    this.base = base
    this.body = wholePages(frameCapacity) + outHeaderSize
    this.bodyCapacity = bodyCapacity
    this.bytes = new Uint8Array(memory, base, this.body + bodyCapacity)
    this.view = new DataView(memory, base, this.body + bodyCapacity)
    this.words = new Uint32Array(memory, base, (this.body + bodyCapacity) >> 2)
    this.outHeader = this.bytes.subarray(this.body - outHeaderSize, this.body)
  }
}

export interface SlotPool {
  readonly channel: Channel
  /** The slots that are free, the one used last on top: its memory is the warmest. */
  readonly free: Array<DeviceSlot>
}

/** `count` slots, or a negative errno when there is no memory for them. */
export const makeSlotPool = (
  reader: FuseHandle,
  writer: FuseHandle,
  count: number,
  frameCapacity: number,
  bodyCapacity: number
): SlotPool | number => {
  const size = wholePages(wholePages(frameCapacity) + outHeaderSize + bodyCapacity)
  const channel = makeChannel(reader, writer, size * count)
  if (typeof channel === "number") return channel
  const free = Array.from({ length: count }, (_, index) => new DeviceSlot(channel.memory, index * size, frameCapacity, bodyCapacity))
  return { channel, free: free.reverse() }
}
