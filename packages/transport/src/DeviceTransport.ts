/** Frames over one descriptor: `/dev/fuse`, or a pipe or socket in its place. */
import type { DataPart } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { constants } from "node:os"
import { performance } from "node:perf_hooks"
import { type Channel, makeChannel } from "./channel.ts"
import { opcodes } from "@bickford/protocol"
import { type DeviceSlot, inHeaderSize, outHeaderSize, writeInSize } from "./DeviceSlot.ts"
import { errnoError, type TransportError } from "./errors.ts"
import type { DetachedRequest, FrameSink, FrameTransport, Slot, TransportEnd } from "./FrameTransport.ts"
import { isConnectionMounted } from "./mountpoint.ts"
import { addon, type FuseHandle } from "./native.ts"
import { makeOutbox, type Outbox } from "./outbox.ts"
import { partsLength, readParts } from "./parts.ts"
import type { PipedData } from "./PipedData.ts"
import { leastPipedFrame, PipedWrites } from "./pipedWrites.ts"
import { frameCapacityFor } from "./requestSize.ts"
import { selectError } from "./select.ts"
import { type SlotPool, slotPoolOf } from "./slotPool.ts"
import { makeSplicer, type Splicer } from "./splice.ts"
import { makeStreamReader, type StreamReader } from "./streamReader.ts"

const { EAGAIN, EBUSY, ECONNABORTED, ECONNRESET, EINTR, EINVAL, ENODEV, ENOENT, EOPNOTSUPP, EPROTO } = constants.errno

/** Milliseconds for which frames are read before the event loop gets its turn, and after how many the clock is read. */
const longestBatch = 0.4
const framesPerLook = 8
/** Parts that one write_frame takes, less the header. */
const maxParts = 63
/** No frame is as large. */
const noFrame = 0x7fff_ffff

/** Up to so many bytes, copying a reply's body costs less than handing over where its parts lie. */
const worthCopying = 16 * 1024

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

class DeviceTransport implements PacedTransport {
  readonly frameCapacity: number
  readonly close: Effect.Effect<void>
  private readonly handle: FuseHandle
  private readonly writeHandle: FuseHandle
  private readonly channel: Channel
  private readonly pool: SlotPool
  /** Slots that it may have at once, and has. */
  private readonly slots: number
  private held = 0
  private readonly stream: StreamReader | undefined
  private readonly outbox: Outbox | undefined
  private sink: FrameSink | undefined
  private finish: ((end: Effect.Effect<TransportEnd, TransportError>) => void) | undefined
  private armed = false
  /** Reading stopped because no slot was free. */
  private starved = false
  /** Within the read loop: the next frame can be read with the reply to this one. */
  private readsAhead = false
  /** The slot that was read into with a reply, until its frame is delivered. */
  private ahead: DeviceSlot | undefined
  /** Gives memory for the data of large WRITEs. */
  private lender: (() => Uint8Array | undefined) | undefined
  /** What it gave for the next read. */
  private lent: Uint8Array | undefined
  /** The slot whose data lies in what was lent, until it is given back or read into again. */
  private borrower: DeviceSlot | undefined
  /** WRITEs whose data is in pipes; undefined when nobody has asked for it. */
  private piped: PipedWrites | undefined
  /** Bytes of a frame whose data fills what is lent, or is worth a pipe. */
  private largeFrame = noFrame
  /** Large WRITEs come one after the other: after one the next is expected. */
  private expectsLarge = false
  /** There is something to see to before and after a read. */
  private lending = false
  private splicer: Splicer | undefined
  private scheduled: NodeJS.Immediate | undefined
  /** Milliseconds to wait when all was read. */
  private rest = 0
  private resting: NodeJS.Timeout | undefined
  private readonly smallHeader = new Uint8Array(outHeaderSize)
  private readonly smallHeaderView = new DataView(this.smallHeader.buffer)

  constructor(
    handle: FuseHandle,
    writeHandle: FuseHandle,
    frameCapacity: number,
    channel: Channel,
    pool: SlotPool,
    slots: number,
    stream: StreamReader | undefined,
    outbox: Outbox | undefined
  ) {
    this.handle = handle
    this.writeHandle = writeHandle
    this.frameCapacity = frameCapacity
    this.channel = channel
    this.pool = pool
    this.slots = slots
    this.stream = stream
    this.outbox = outbox
    this.close = Effect.sync(() => {
      this.spliceReplies(undefined)
      this.pipeWrites(false)
      if (this.ahead !== undefined) this.putBack(this.ahead)
      this.ahead = undefined
      addon.close(handle)
      if (writeHandle !== handle) addon.close(writeHandle)
    })
  }

  freeSlots = (): number => this.slots - this.held

  /** A slot to read into; undefined when this connection has as many as it may, or there is no memory. */
  private take(): DeviceSlot | undefined {
    if (this.held === this.slots) return undefined
    const slot = this.pool.take()
    if (typeof slot === "number") {
      this.pool.onGiven(this.readOn)
      return undefined
    }
    this.held++
    return slot
  }

  private putBack(slot: DeviceSlot): void {
    if (slot.apart !== undefined) this.takeBack(slot)
    this.held--
    this.pool.give(slot)
  }

  run = (sink: FrameSink): Effect.Effect<TransportEnd, TransportError> =>
    Effect.callback((resume) => {
      if (this.sink !== undefined) {
        resume(Effect.fail(errnoError("read", -EBUSY, "the connection is being read from already")))
        return
      }
      this.sink = sink
      this.finish = resume
      if (this.arm() && (this.ahead !== undefined || this.stream?.ready() === true)) this.schedule()
      return Effect.sync(this.stop)
    })

  private stop = (): void => {
    this.sink = undefined
    this.finish = undefined
    this.starved = false
    if (this.scheduled !== undefined) clearImmediate(this.scheduled)
    this.scheduled = undefined
    clearTimeout(this.resting)
    this.resting = undefined
    this.disarm()
  }

  pace = (milliseconds: number): void => {
    this.rest = milliseconds
  }

  private restAWhile(): void {
    this.disarm()
    this.resting ??= setTimeout(() => {
      this.resting = undefined
      this.onReady(0)
    }, this.rest)
  }

  private end(result: Effect.Effect<TransportEnd, TransportError>): void {
    const finish = this.finish
    this.stop()
    finish?.(result)
  }

  private arm(): boolean {
    if (this.armed) return true
    const status = addon.select_read(this.handle, this.onReady, true)
    if (status < 0) {
      this.end(Effect.fail(selectError(status)))
      return false
    }
    this.armed = true
    return true
  }

  private disarm(): void {
    if (!this.armed) return
    this.armed = false
    addon.select_stop(this.handle)
  }

  /** A stream's frames can be here already, as can one read ahead, and then no readiness comes for them. */
  private schedule(): void {
    this.scheduled ??= setImmediate(() => {
      this.scheduled = undefined
      this.onReady(0)
    })
  }

  private onReady = (status: number): void => {
    const sink = this.sink
    if (sink === undefined) return
    if (status < 0) {
      this.armed = false
      this.end(Effect.succeed("closed"))
      return
    }
    try {
      this.readBatch(sink)
    } catch (defect) {
      this.end(Effect.die(defect))
    }
  }

  private readBatch(sink: FrameSink): void {
    let frames = 0
    /** How many of them the sink has been told the end of. */
    let ended = 0
    let result = 0
    let full = false
    let slotless = false
    const until = performance.now() + longestBatch
    this.readsAhead = this.stream === undefined && this.outbox === undefined
    while (!full) {
      const slot = this.ahead ?? this.take()
      if (slot === undefined) {
        // Until one is given back the kernel keeps what comes.
        slotless = true
        this.starved = true
        this.disarm()
        break
      }
      result = this.read(slot)
      if (result <= 0) {
        this.putBack(slot)
        if (result !== -EAGAIN || ended === frames) break
        ended = frames
        if (sink.onBatchEnd() !== true && this.ahead === undefined) break
        if (this.sink !== sink) break
        continue
      }
      frames++
      slot.free = false
      sink.onFrame(slot)
      // The sink may have interrupted this loop.
      if (this.sink !== sink) break
      full = frames % framesPerLook === 0 && performance.now() > until
    }
    this.readsAhead = false
    if (this.sink !== sink) return
    if (ended !== frames || frames === 0) sink.onBatchEnd()
    if (this.sink !== sink) return
    // Who gives a slot back, the sink just now or somebody later, sees to it that reading goes on.
    if (slotless) return
    if (full) {
      // More is to be expected. While it is read without waiting for it, the kernel need not tell the event loop
      // of each request.
      this.disarm()
      this.schedule()
      return
    }
    if (result === -EAGAIN) {
      if (this.rest > 0 && frames > 0) this.restAWhile()
      else this.arm()
      return
    }
    this.end(this.endOf(result))
  }

  /** What a read into the slot answers; it may have been done with the last reply. */
  private readOnce(slot: DeviceSlot): number {
    if (this.ahead === slot) {
      this.ahead = undefined
      return this.channel.exchanged()
    }
    if (this.lending) {
      this.beforeRead(slot)
      const count = this.expectsLarge ? this.piped?.read(this.channel, slot, this.frameCapacity) : undefined
      if (count !== undefined) return count
    }
    return this.stream === undefined
      ? this.channel.read(slot.memory, 0, this.frameCapacity)
      : this.stream.next(slot.bytes)
  }

  /** Reads one frame: its length, 0 at the end, or a negative errno that is not to be retried. */
  private read(slot: DeviceSlot): number {
    for (;;) {
      const count = this.readOnce(slot)
      // ENOENT: the request was withdrawn while it was being read.
      if (count === -EINTR || count === -ENOENT) continue
      if (count > 0) {
        slot.end = count
        if (this.lending || count >= this.largeFrame) this.afterRead(slot, count)
        // What a short frame lacks must not be what an earlier one left.
        if (count < inHeaderSize) slot.bytes.fill(0, count, inHeaderSize)
      }
      return count
    }
  }

  lendMemory = (memory: (() => Uint8Array | undefined) | undefined): void => {
    const size = this.stream === undefined ? (memory?.()?.length ?? 0) : 0
    this.lender = memory
    this.largeFrame = size === 0 ? noFrame : inHeaderSize + writeInSize + size
    this.expectsLarge = false
  }

  pipeWrites = (wanted: boolean): void => {
    if (!wanted) this.piped?.stop()
    if (!wanted || this.stream !== undefined || this.outbox !== undefined) return
    this.lendMemory(undefined)
    this.piped ??= new PipedWrites(this.frameCapacity)
    this.piped.start()
    this.largeFrame = leastPipedFrame
  }

  pipedData = (memory: Uint8Array): PipedData | undefined => this.piped?.dataOf(memory)

  /** A slot whose data lies apart is no longer of its request. */
  private takeBack(slot: DeviceSlot): void {
    if (slot === this.borrower) this.borrower = undefined
    else if (slot.apart !== undefined) this.piped?.end(slot.apart)
    slot.apart = undefined
  }

  private beforeRead(slot: DeviceSlot): void {
    if (slot.apart !== undefined) this.takeBack(slot)
    this.lent = this.expectsLarge && this.borrower === undefined ? this.lender?.() : undefined
    this.channel.lend(this.lent)
    this.lending = this.expectsLarge || this.borrower !== undefined || (this.piped?.size ?? 0) > 0
  }

  private afterRead(slot: DeviceSlot, count: number): void {
    this.lending = true
    if (this.piped !== undefined && this.lender === undefined) {
      this.expectsLarge = count >= this.largeFrame && slot.words[1] === opcodes.FUSE_WRITE
      return
    }
    if (this.channel.isApart()) {
      slot.apart = this.lent
      this.borrower = slot
    }
    this.expectsLarge = count === this.largeFrame
  }

  private endOf(result: number): Effect.Effect<TransportEnd, TransportError> {
    const end = this.endReason(result)
    if (end !== undefined) return Effect.succeed(end)
    return Effect.fail(errnoError("read", result, this.hint(result)))
  }

  /**
   * Why a read ended. The kernel answers it with ENODEV also when it aborted the connection by itself, as after
   * `requestTimeout`, or when ABORT_ERROR was not negotiated (`fs/fuse/dev.c`). Then the mount is still there.
   */
  private endReason(result: number): TransportEnd | undefined {
    const end = endReason(result)
    return end === "unmounted" && isConnectionMounted(this.handle) ? "aborted" : end
  }

  private hint(result: number): string | undefined {
    const { frameCapacity, stream } = this
    if (result === -EINVAL) return `the slots of ${frameCapacity} bytes are smaller than the kernel's largest request`
    if (result !== -EPROTO || stream === undefined) return undefined
    return `a frame of ${stream.announced()} bytes by its header; it has from ${inHeaderSize} to ${frameCapacity}`
  }

  receive = (): Slot | TransportEnd | undefined => {
    const slot = this.take()
    if (slot === undefined) return undefined
    const result = this.read(slot)
    if (result > 0) {
      slot.free = false
      return slot
    }
    this.putBack(slot)
    return result === -EAGAIN ? undefined : (this.endReason(result) ?? "aborted")
  }

  private giveBack(slot: DeviceSlot): void {
    if (slot.free) throw new Error("a slot was given back twice")
    slot.free = true
    this.putBack(slot)
    if (this.starved) this.readOn()
  }

  /** Reads again, if reading stopped for want of a slot. */
  private readOn = (): void => {
    if (!this.starved) return
    this.starved = false
    if (this.sink === undefined) return
    if (this.arm() && this.stream?.ready() === true) this.schedule()
  }

  reply = (slot: Slot, error: number, bodyLength: number): number => {
    const own = slot as DeviceSlot
    const length = error === 0 ? outHeaderSize + bodyLength : outHeaderSize
    const at = own.body - outHeaderSize
    writeOutHeader(own, length, error)
    if (this.readsAhead && this.ahead === undefined) return this.replyAndRead(own, at, length)
    const result =
      this.outbox === undefined
        ? this.channel.write(own.memory, at, length)
        : this.outbox.write([own.bytes.subarray(at, at + length)])
    this.giveBack(own)
    return result < 0 ? result : 0
  }

  /** Once it is written the slot is free: the next frame is read into it by the same call into the addon. */
  private replyAndRead(slot: DeviceSlot, at: number, length: number, tails?: ReadonlyArray<Uint8Array>): number {
    if (slot.free) throw new Error("a slot was given back twice")
    if (this.lending) {
      // The next frame comes by way of a pipe, which this call does not know.
      if (this.expectsLarge && this.piped !== undefined) return this.replyAlone(slot, at, length, tails)
      this.beforeRead(slot)
    }
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

  private replyAlone(slot: DeviceSlot, at: number, length: number, tails?: ReadonlyArray<Uint8Array>): number {
    const result =
      tails === undefined ? this.channel.write(slot.memory, at, length) : this.writeParts(slot.outHeader, tails)
    this.giveBack(slot)
    return result < 0 ? result : 0
  }

  replyData = (slot: Slot, views: ReadonlyArray<Uint8Array>): number => {
    const own = slot as DeviceSlot
    const length = totalLength(views)
    if (length <= worthCopying && length <= own.bodyCapacity) {
      let at = own.body
      for (const view of views) {
        own.bytes.set(view, at)
        at += view.length
      }
      return this.reply(slot, 0, length)
    }
    writeOutHeader(own, outHeaderSize + length, 0)
    if (this.readsAhead && this.ahead === undefined && views.length <= maxParts)
      return this.replyAndRead(own, own.body - outHeaderSize, outHeaderSize, views)
    const result = this.writeParts(own.outHeader, views)
    this.giveBack(own)
    return result
  }

  replyParts = (slot: Slot, parts: ReadonlyArray<DataPart>): number => {
    const own = slot as DeviceSlot
    const spliced = this.splicer?.reply(requestOf(own), parts)
    if (spliced !== undefined) {
      this.giveBack(own)
      return spliced
    }
    const length = partsLength(parts)
    if (length <= own.bodyCapacity) {
      const count = readParts(parts, own.bytes, own.body)
      return this.reply(slot, Math.min(count, 0), Math.max(count, 0))
    }
    // The request has been read out of the slot: all of its memory can hold the reply.
    const result = this.writeFromParts(own, requestOf(own), parts, length)
    this.giveBack(own)
    return result
  }

  replyPartsDetached = (request: DetachedRequest, parts: ReadonlyArray<DataPart>): number =>
    this.splicer?.reply(request, parts) ?? this.writeFromParts(this.pool.spare(), request, parts, partsLength(parts))

  spliceReplies = (how: { readonly move: boolean } | undefined): void => {
    this.splicer?.close()
    this.splicer =
      how === undefined || this.outbox !== undefined
        ? undefined
        : makeSplicer(this.writeHandle, this.frameCapacity, how.move)
  }

  /** Puts a reply together in a slot's memory, which is resident; where there is none, or not enough of it, memory of the moment has to do. */
  private writeFromParts(
    spare: DeviceSlot | undefined,
    request: DetachedRequest,
    parts: ReadonlyArray<DataPart>,
    length: number
  ): number {
    const bytes =
      spare !== undefined && outHeaderSize + length <= spare.bytes.length
        ? spare.bytes
        : new Uint8Array(outHeaderSize + length)
    const count = readParts(parts, bytes, outHeaderSize)
    const total = outHeaderSize + Math.max(count, 0)
    const view = new DataView(bytes.buffer, bytes.byteOffset, outHeaderSize)
    view.setUint32(0, total, true)
    view.setInt32(4, Math.min(count, 0), true)
    view.setUint32(8, request.uniqueLow, true)
    view.setUint32(12, request.uniqueHigh, true)
    return this.writeParts(bytes.subarray(0, total), [])
  }

  detach = (slot: Slot): DetachedRequest => {
    const own = slot as DeviceSlot
    const request = requestOf(own)
    this.giveBack(own)
    return request
  }

  replyDetached = (request: DetachedRequest, error: number, views: ReadonlyArray<Uint8Array>): number => {
    const view = this.smallHeaderView
    view.setUint32(0, error === 0 ? outHeaderSize + totalLength(views) : outHeaderSize, true)
    view.setInt32(4, error, true)
    view.setUint32(8, request.uniqueLow, true)
    view.setUint32(12, request.uniqueHigh, true)
    return this.writeParts(this.smallHeader, error === 0 ? views : [])
  }

  private writeParts(header: Uint8Array, views: ReadonlyArray<Uint8Array>): number {
    if (this.outbox !== undefined) return this.outbox.write([header, ...views])
    const [first] = views
    let result: number
    if (first === undefined) result = addon.write_frame(this.writeHandle, header)
    else if (views.length === 1) result = addon.write_frame(this.writeHandle, header, first)
    else if (views.length <= maxParts) result = addon.write_frame(this.writeHandle, header, ...views)
    else result = addon.write_frame(this.writeHandle, header, Buffer.concat(views))
    return result < 0 ? result : 0
  }

  takePayload = (slot: Slot, offset: number, length: number): Uint8Array => {
    const { apart } = slot
    if (apart === undefined) return slot.bytes.slice(offset, offset + length)
    this.pipedData(apart)?.read()
    return apart.slice()
  }

  release = (slot: Slot): void => this.giveBack(slot as DeviceSlot)

  notify = (...parts: ReadonlyArray<Uint8Array>): Promise<number> =>
    this.outbox === undefined ? addon.notify(this.writeHandle, ...parts) : Promise.resolve(this.outbox.write(parts))

  notifyNow = (...parts: ReadonlyArray<Uint8Array>): number =>
    this.outbox === undefined
      ? Math.min(0, addon.write_frame(this.writeHandle, Buffer.concat(parts)))
      : this.outbox.write(parts)

  openBacking = (fd: number): number => (this.outbox === undefined ? addon.backing_open(this.handle, fd) : -EOPNOTSUPP)

  closeBacking = (id: number): number =>
    this.outbox === undefined ? addon.backing_close(this.handle, id) : -EOPNOTSUPP

  flush = (): void => this.outbox?.flush()
}

const endReason = (result: number): TransportEnd | undefined => {
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

const requestOf = ({ view }: DeviceSlot): DetachedRequest => ({
  uniqueLow: view.getUint32(8, true),
  uniqueHigh: view.getUint32(12, true)
})

const totalLength = (views: ReadonlyArray<Uint8Array>): number => {
  let total = 0
  for (const view of views) total += view.length
  return total
}

/** `struct fuse_out_header`, with the request's own `unique`, before the slot's body. */
const writeOutHeader = (slot: DeviceSlot, length: number, error: number): void => {
  const { words } = slot
  const at = (slot.body - outHeaderSize) >> 2
  words[at] = length
  words[at + 1] = error
  words[at + 2] = words[2] ?? 0
  words[at + 3] = words[3] ?? 0
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
        new DeviceTransport(
          handle,
          writeHandle,
          frameCapacity,
          channel,
          pool,
          options.slots ?? 8,
          readKind === "stream" ? makeStreamReader(handle, frameCapacity) : undefined,
          writeKind === "device" ? undefined : makeOutbox(writeHandle, writeKind === "seqpacket")
        )
      )
    }),
    (transport) => transport.close
  )
