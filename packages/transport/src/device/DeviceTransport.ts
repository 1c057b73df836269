/**
 * Frames over one descriptor: `/dev/fuse`, or a pipe or socket in its place.
 *
 * `ReadLoop` waits and delivers, `FrameReader` reads a frame, `ReplyWriter` writes replies, `WriteLoan` is where the data of
 * large WRITEs goes instead of into a slot. What one of them does for another is in its arguments.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { constants } from "node:os"
import { errnoError, type TransportError } from "../errors.ts"
import type { FrameSink, FrameTransport, Slot, TransportEnd } from "../FrameTransport.ts"
import { requestOf } from "../headers.ts"
import { addon, type FuseHandle } from "../native.ts"
import { frameCapacityFor } from "../requestSize.ts"
import { type Channel, makeChannel } from "./channel.ts"
import type { DeviceSlot } from "./DeviceSlot.ts"
import { DeviceSlots } from "./DeviceSlots.ts"
import { FrameReader } from "./FrameReader.ts"
import { makeOutbox, type Outbox } from "./outbox.ts"
import type { PipedData } from "./PipedData.ts"
import { ReadLoop } from "./ReadLoop.ts"
import { ReplyWriter } from "./ReplyWriter.ts"
import { type SlotPool, slotPoolOf } from "./slotPool.ts"
import { makeStreamReader, type StreamReader } from "./streamReader.ts"
import { WriteLoan } from "./WriteLoan.ts"

const { EAGAIN, EOPNOTSUPP } = constants.errno

/** Slots, sizes and the descriptor for replies of a device's transport. */
export interface DeviceTransportOptions {
  /** Where replies go when it is not where requests come from: the write end of another pipe. */
  readonly write?: FuseHandle
  /** Requests that can be held at once. Default 8. */
  readonly slots?: number
  /** Largest frame in bytes. Default: 1 MiB of payload, and room for headers, names and extended attributes. */
  readonly frameCapacity?: number
  /** Largest body that can be encoded in a slot, in bytes. Default 256 KiB. */
  readonly bodyCapacity?: number
}

/** A device's transport that can be told to read less often. */
export interface PacedTransport extends FrameTransport {
  /** Having read everything that was there, waits for so many milliseconds before it looks again: for what is in no hurry. */
  readonly pace: (milliseconds: number) => void
}

/** What a transport is made of: its descriptors, its memory, and how frames go over what is no device. */
interface Parts {
  readonly readHandle: FuseHandle
  readonly writeHandle: FuseHandle
  readonly frameCapacity: number
  readonly channel: Channel
  readonly pool: SlotPool
  /** Slots that it may hold at once. */
  readonly slots: number
  readonly stream: StreamReader | undefined
  readonly outbox: Outbox | undefined
}

class DeviceTransport implements PacedTransport {
  readonly frameCapacity: number
  readonly close: Effect.Effect<void>
  readonly reply: FrameTransport["reply"]
  readonly replyData: FrameTransport["replyData"]
  readonly replyParts: FrameTransport["replyParts"]
  readonly replyDetached: FrameTransport["replyDetached"]
  readonly replyPartsDetached: FrameTransport["replyPartsDetached"]
  readonly spliceReplies: FrameTransport["spliceReplies"]
  private readonly readHandle: FuseHandle
  private readonly writeHandle: FuseHandle
  private readonly stream: StreamReader | undefined
  private readonly outbox: Outbox | undefined
  private readonly loan: WriteLoan
  private readonly slots: DeviceSlots
  private readonly reader: FrameReader
  private readonly loop: ReadLoop

  constructor({ channel, frameCapacity, outbox, pool, readHandle, slots, stream, writeHandle }: Parts) {
    this.frameCapacity = frameCapacity
    this.readHandle = readHandle
    this.writeHandle = writeHandle
    this.stream = stream
    this.outbox = outbox
    this.loan = new WriteLoan(channel, frameCapacity)
    this.slots = new DeviceSlots(pool, slots, this.loan)
    this.reader = new FrameReader(readHandle, channel, frameCapacity, this.loan, stream)
    this.loop = new ReadLoop(readHandle, this.reader, this.slots, stream === undefined && outbox === undefined)
    const { loop, reader } = this
    const writer = new ReplyWriter({
      handle: writeHandle,
      channel,
      outbox,
      frameCapacity,
      slots: this.slots,
      reader,
      loop
    })
    this.reply = writer.reply
    this.replyData = writer.replyData
    this.replyParts = writer.replyParts
    this.replyDetached = writer.replyDetached
    this.replyPartsDetached = writer.replyPartsDetached
    this.spliceReplies = writer.spliceReplies
    this.close = Effect.sync(this.end)
  }

  private end = (): void => {
    this.spliceReplies(undefined)
    this.pipeWrites(false)
    if (this.reader.ahead !== undefined) this.slots.putBack(this.reader.ahead)
    this.reader.ahead = undefined
    addon.close(this.readHandle)
    if (this.writeHandle !== this.readHandle) addon.close(this.writeHandle)
  }

  freeSlots = (): number => this.slots.free

  run = (sink: FrameSink): Effect.Effect<TransportEnd, TransportError> => this.loop.run(sink)

  pace = (milliseconds: number): void => this.loop.pace(milliseconds)

  receive = (): Slot | TransportEnd | undefined => {
    const slot = this.slots.take()
    if (slot === undefined) return undefined
    const result = this.reader.read(slot)
    if (result > 0) {
      slot.free = false
      return slot
    }
    this.slots.putBack(slot)
    return result === -EAGAIN ? undefined : (this.reader.endReason(result) ?? "aborted")
  }

  lendMemory = (memory: (() => Uint8Array | undefined) | undefined): void =>
    this.loan.lendMemory(this.stream === undefined ? memory : undefined)

  pipeWrites = (wanted: boolean): void => {
    if (!wanted) this.loan.stopPiping()
    else if (this.stream === undefined && this.outbox === undefined) this.loan.pipeWrites()
  }

  pipedData = (memory: Uint8Array): PipedData | undefined => this.loan.pipedData(memory)

  detach = (slot: Slot) => {
    const request = requestOf(slot)
    this.slots.giveBack(slot as DeviceSlot)
    return request
  }

  takePayload = (slot: Slot, offset: number, length: number): Uint8Array => {
    const { apart } = slot
    if (apart === undefined) return slot.bytes.slice(offset, offset + length)
    this.pipedData(apart)?.read()
    return apart.slice()
  }

  release = (slot: Slot): void => this.slots.giveBack(slot as DeviceSlot)

  notify = (...parts: ReadonlyArray<Uint8Array>): Promise<number> =>
    this.outbox === undefined ? addon.notify(this.writeHandle, ...parts) : Promise.resolve(this.outbox.write(parts))

  notifyNow = (...parts: ReadonlyArray<Uint8Array>): number =>
    this.outbox === undefined
      ? Math.min(0, addon.write_frame(this.writeHandle, Buffer.concat(parts)))
      : this.outbox.write(parts)

  openBacking = (fd: number): number =>
    this.outbox === undefined ? addon.backing_open(this.readHandle, fd) : -EOPNOTSUPP

  closeBacking = (id: number): number =>
    this.outbox === undefined ? addon.backing_close(this.readHandle, id) : -EOPNOTSUPP

  flush = (): void => this.outbox?.flush()
}

const defaultBodyCapacity = 256 << 10

/**
 * The transport over a handle, closed with its scope. A device or `seqpacket` socket gives one frame a
 * read; over a pipe or stream the frames are put together from their header's length.
 */
export const makeDeviceTransport = (
  handle: FuseHandle,
  options: DeviceTransportOptions = {}
): Effect.Effect<FrameTransport, TransportError, Scope.Scope> => makePacedTransport(handle, options)

/** As `makeDeviceTransport`, for a transport that is made of it. */
export const makePacedTransport = (
  handle: FuseHandle,
  options: DeviceTransportOptions = {}
): Effect.Effect<PacedTransport, TransportError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const writeHandle = options.write ?? handle
      const frameCapacity = options.frameCapacity ?? frameCapacityFor()
      const readKind = addon.kind(handle)
      if (typeof readKind === "number") return Effect.fail(errnoError("fstat", readKind))
      const writeKind = addon.kind(writeHandle)
      if (typeof writeKind === "number") return Effect.fail(errnoError("fstat", writeKind))
      const pool = slotPoolOf(frameCapacity, options.bodyCapacity ?? defaultBodyCapacity)
      const first = pool.take()
      if (typeof first === "number") return Effect.fail(errnoError("mmap", first, "no memory for the request slots"))
      pool.give(first)
      const channel = makeChannel(handle, writeHandle)
      if (typeof channel === "number") return Effect.fail(errnoError("mmap", channel, "no memory for the connection"))
      return Effect.succeed<PacedTransport>(
        new DeviceTransport({
          readHandle: handle,
          writeHandle,
          frameCapacity,
          channel,
          pool,
          slots: options.slots ?? 8,
          stream: readKind === "stream" ? makeStreamReader(handle, frameCapacity) : undefined,
          outbox: writeKind === "device" ? undefined : makeOutbox(writeHandle, writeKind === "seqpacket")
        })
      )
    }),
    (transport) => transport.close
  )
