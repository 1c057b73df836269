/**
 * Where the data of large WRITEs goes instead of into their slots: memory that the backend lends, or a pipe.
 *
 * Large WRITEs come one after the other, so after one the next is expected: only then is memory lent, or a pipe taken,
 * for the next read. The life of a loan is told in docs/architecture/buffers.md. seqwrite went from 0.96 to 1.02 of the C
 * filesystem's by it (docs/decisions/0012); measure with `npm run bench`. Wrong, it gives a file the data of another WRITE.
 */
import { opcodes } from "@bickford/protocol"
import { opcodeOf } from "@bickford/protocol/codec"
import { inHeaderSize, writeInSize } from "../headers.ts"
import type { Channel } from "./channel.ts"
import type { DeviceSlot } from "./DeviceSlot.ts"
import type { PipedData } from "./PipedData.ts"
import { leastPipedFrame, PipedWrites } from "./pipedWrites.ts"

/** No frame is as large. */
const noFrame = 0x7fff_ffff

export class WriteLoan {
  private readonly channel: Channel
  private readonly frameCapacity: number
  /** True when `beforeRead` must be called before the next read, and `afterRead` after it. */
  active = false
  /** Bytes of a frame whose data fills the lent memory, or is worth a pipe. */
  largeFrame = noFrame
  private expectsLarge = false
  /** Gives memory for the data of large WRITEs. */
  private lender: (() => Uint8Array | undefined) | undefined
  /** What it gave for the next read. */
  private lent: Uint8Array | undefined
  /** The slot whose data lies in lent memory, until it is given back or read into again. */
  private borrower: DeviceSlot | undefined
  /** WRITEs whose data is in pipes; undefined when nobody has asked for it. */
  private piped: PipedWrites | undefined

  constructor(channel: Channel, frameCapacity: number) {
    this.channel = channel
    this.frameCapacity = frameCapacity
  }

  /** Takes memory for WRITEs' data from `memory`, whose arrays are all of one length; undefined ends that. */
  lendMemory(memory: (() => Uint8Array | undefined) | undefined): void {
    const size = memory?.()?.length ?? 0
    this.lender = memory
    this.largeFrame = size === 0 ? noFrame : inHeaderSize + writeInSize + size
    this.expectsLarge = false
  }

  /** Leaves WRITEs' data in pipes, in place of lent memory. */
  pipeWrites(): void {
    this.lendMemory(undefined)
    this.piped ??= new PipedWrites(this.frameCapacity)
    this.piped.start()
    this.largeFrame = leastPipedFrame
  }

  /** Reads what is in pipes to the slots, and leaves nothing more there. */
  stopPiping(): void {
    this.piped?.stop()
  }

  /** What has the data that `memory` is for; undefined when it is in no pipe. */
  pipedData(memory: Uint8Array): PipedData | undefined {
    return this.piped?.dataOf(memory)
  }

  /** True when the next frame has to come by way of a pipe, so that it cannot be read with a reply. */
  get needsPipe(): boolean {
    return this.expectsLarge && this.piped !== undefined
  }

  /** A slot whose data lies apart is no longer of its request. */
  end(slot: DeviceSlot): void {
    if (slot === this.borrower) this.borrower = undefined
    else if (slot.apart !== undefined) this.piped?.end(slot.apart)
    slot.apart = undefined
  }

  /** Lends memory for the frame that will be read into `slot`, if a large WRITE is expected. */
  beforeRead(slot: DeviceSlot): void {
    if (slot.apart !== undefined) this.end(slot)
    this.lent = this.expectsLarge && this.borrower === undefined ? this.lender?.() : undefined
    this.channel.lend(this.lent)
    this.active = this.expectsLarge || this.borrower !== undefined || (this.piped?.size ?? 0) > 0
  }

  /** Reads a frame through a pipe. Returns its length or a negative errno; undefined when it must be read as other frames are. */
  readByPipe(slot: DeviceSlot): number | undefined {
    return this.expectsLarge ? this.piped?.read(this.channel, slot, this.frameCapacity) : undefined
  }

  /** Gives `slot` its data, if that lies in the lent memory. `length` is the frame's. */
  afterRead(slot: DeviceSlot, length: number): void {
    this.active = true
    if (this.piped !== undefined && this.lender === undefined) {
      this.expectsLarge = length >= this.largeFrame && opcodeOf(slot) === opcodes.FUSE_WRITE
      return
    }
    if (this.channel.isApart()) {
      slot.apart = this.lent
      this.borrower = slot
    }
    this.expectsLarge = length === this.largeFrame
  }
}
