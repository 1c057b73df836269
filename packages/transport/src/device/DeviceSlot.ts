/** A slot of a device's transport: memory of its own, touched and locked before the first read. */
import type { Slot } from "../FrameTransport.ts"
import { inHeaderSize, outHeaderSize } from "../headers.ts"

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
  /** The number by which channels know its memory. */
  readonly memory: number
  /** The 16 bytes before the body. */
  readonly outHeader: Uint8Array
  /** Not delivered, or given back. */
  free = true

  constructor(memory: ArrayBuffer, number: number, frameCapacity: number, bodyCapacity: number) {
    this.memory = number
    this.body = wholePages(frameCapacity) + outHeaderSize
    this.bodyCapacity = bodyCapacity
    this.bytes = new Uint8Array(memory, 0, this.body + bodyCapacity)
    this.view = new DataView(memory, 0, this.body + bodyCapacity)
    this.words = new Uint32Array(memory, 0, (this.body + bodyCapacity) >> 2)
    this.outHeader = this.bytes.subarray(this.body - outHeaderSize, this.body)
  }
}

/** Bytes that a slot takes. */
export const slotSize = (frameCapacity: number, bodyCapacity: number): number =>
  wholePages(wholePages(frameCapacity) + outHeaderSize + bodyCapacity)
