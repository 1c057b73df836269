/** Reads one frame into a slot: by itself, or with the reply that the slot held. */
import { constants } from "node:os"
import { errnoError, type TransportError } from "../errors.ts"
import type { TransportEnd } from "../FrameTransport.ts"
import { inHeaderSize } from "../headers.ts"
import { isConnectionMounted } from "../mounting/mountpoint.ts"
import type { FuseHandle } from "../native.ts"
import type { Channel } from "./channel.ts"
import type { DeviceSlot } from "./DeviceSlot.ts"
import type { StreamReader } from "./streamReader.ts"
import type { WriteLoan } from "./WriteLoan.ts"

const { ECONNABORTED, ECONNRESET, EINTR, EINVAL, ENODEV, ENOENT, EPROTO } = constants.errno

/** Why no more frames come, by the errno alone. */
const reasonOf = (result: number): TransportEnd | undefined => {
  switch (result) {
    case -ENODEV:
      return "unmounted"
    case -ECONNABORTED:
      return "aborted"
    case 0:
    case -ECONNRESET:
      return "closed"
    default:
      return undefined
  }
}

export class FrameReader {
  private readonly handle: FuseHandle
  private readonly channel: Channel
  private readonly frameCapacity: number
  private readonly loan: WriteLoan
  /** Puts frames together where they come as a stream of bytes. */
  readonly stream: StreamReader | undefined
  /** The slot that was read into with a reply, until its frame is delivered. */
  ahead: DeviceSlot | undefined

  constructor(
    handle: FuseHandle,
    channel: Channel,
    frameCapacity: number,
    loan: WriteLoan,
    stream: StreamReader | undefined
  ) {
    this.handle = handle
    this.channel = channel
    this.frameCapacity = frameCapacity
    this.loan = loan
    this.stream = stream
  }

  /** Reads one frame: its length, 0 at the end, or a negative errno that is not to be retried. */
  read(slot: DeviceSlot): number {
    for (;;) {
      const count = this.readOnce(slot)
      // ENOENT: the request was withdrawn while it was being read.
      if (count === -EINTR || count === -ENOENT) continue
      if (count > 0) {
        slot.end = count
        if (this.loan.active || count >= this.loan.largeFrame) this.loan.afterRead(slot, count)
        // What a short frame lacks must not be what an earlier one left.
        if (count < inHeaderSize) slot.bytes.fill(0, count, inHeaderSize)
      }
      return count
    }
  }

  /** What a read into the slot answers; it may have been done with the last reply. */
  private readOnce(slot: DeviceSlot): number {
    if (this.ahead === slot) {
      this.ahead = undefined
      return this.channel.exchanged()
    }
    if (this.loan.active) {
      this.loan.beforeRead(slot)
      const count = this.loan.readByPipe(slot)
      if (count !== undefined) return count
    }
    return this.stream === undefined
      ? this.channel.read(slot.memory, 0, this.frameCapacity)
      : this.stream.next(slot.bytes)
  }

  /** Whether `replyAndReadNext` can be called: no frame waits to be delivered, and the next needs no pipe. */
  get canReadWithReply(): boolean {
    return this.ahead === undefined && !this.loan.needsPipe
  }

  /**
   * Writes the reply at `at` of the slot's memory, and `tails` behind it. Once that is done the slot is free: the next frame is
   * read into it by the same call into the addon (docs/decisions/0004). Returns 0 or the write's negative errno; `read` of
   * the slot returns the read's result.
   */
  replyAndReadNext(slot: DeviceSlot, at: number, length: number, tails?: ReadonlyArray<Uint8Array>): number {
    if (slot.free) throw new Error("a slot was given back twice")
    if (this.loan.active) this.loan.beforeRead(slot)
    slot.free = true
    this.ahead = slot
    const { memory } = slot
    const { channel } = this
    const result =
      tails === undefined
        ? channel.exchange(memory, at, length, 0, this.frameCapacity)
        : channel.exchangeWith(memory, at, length, tails, 0, this.frameCapacity)
    return result < 0 ? result : 0
  }

  /**
   * Why no more frames come, by what a read answered; undefined when that is an error. The kernel answers with ENODEV also when it
   * aborted the connection by itself, as after `requestTimeout`, or when ABORT_ERROR was not negotiated (`fs/fuse/dev.c`). Then the
   * mount is still there.
   */
  endReason(result: number): TransportEnd | undefined {
    const end = reasonOf(result)
    return end === "unmounted" && isConnectionMounted(this.handle) ? "aborted" : end
  }

  /** The error of a read that ended the connection. */
  error(result: number): TransportError {
    return errnoError("read", result, this.hint(result))
  }

  private hint(result: number): string | undefined {
    const { frameCapacity, stream } = this
    if (result === -EINVAL) return `the slots of ${frameCapacity} bytes are smaller than the kernel's largest request`
    if (result !== -EPROTO || stream === undefined) return undefined
    return `a frame of ${stream.announced()} bytes by its header; it has from ${inHeaderSize} to ${frameCapacity}`
  }
}
