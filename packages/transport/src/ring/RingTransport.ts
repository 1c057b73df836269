/**
 * Frames over io_uring, and over the device what never comes by a ring: INIT, FORGET, INTERRUPT, notifications, and everything
 * until INIT is answered or where the ring cannot be had.
 *
 * One thread owns all queues. What the ring has brought is delivered before the device is read, so that an INTERRUPT still follows
 * its request.
 */
import { type DataPart, opcodes } from "@bickford/protocol"
import { lengthOf, opcodeOf, structs } from "@bickford/protocol/codec"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { constants } from "node:os"
import { type DeviceTransportOptions, makePacedTransport, type PacedTransport } from "../device/DeviceTransport.ts"
import { errnoError, type SystemCallError, type TransportError } from "../errors.ts"
import type { DetachedRequest, FrameSink, FrameTransport, Rings, Slot, TransportEnd } from "../FrameTransport.ts"
import { inHeaderSize, outHeaderSize, putOutHeaderInPlace } from "../headers.ts"
import { addon, type FuseHandle } from "../native.ts"
import { partsLength, readParts } from "../parts.ts"
import { machineQueues } from "./cpus.ts"
import { payloadFor, type Ring, ringControl, wholePages } from "./Ring.ts"
import { RingSlot } from "./RingSlot.ts"

const { EBADF, EIO, ENODEV } = constants.errno

/** The one request whose reply may be made of its own data. */
const ioctlOpcode = opcodes.FUSE_IOCTL
/** The one whose first struct lies with the rest, and which has no reply (`fs/fuse/dev.c`, fuse_retrieve). */
const notifyReplyOpcode = opcodes.FUSE_NOTIFY_REPLY
const notifyRetrieveInSize = structs.notifyRetrieveIn.bytes

/** Read one by one, FORGETs cost more than all else. */
const defaultPace = 10

/** What a ring's transport is made with. */
export interface RingTransportOptions extends Omit<DeviceTransportOptions, "write"> {
  /** Requests of one CPU's callers that can be held at once. Default 8. */
  readonly depth?: number
  /** Milliseconds that a FORGET or INTERRUPT may wait for the next one. Default 10. */
  readonly pace?: number
}

/** A queue that no machine has: a registration for it fails, and the kernel serves the connection by its device. */
const noQueue = 0xffff
const anyPayload = 8192

const giveBack = (handle: FuseHandle): void => {
  const ring = addon.ring(Uint16Array.of(noQueue))
  if (typeof ring === "number") return
  ring.register(handle, anyPayload)
  ring.close()
}

interface RegisterOptions {
  readonly pace: number
  /** The number of the entries' memory, where it is others' too: then the device is read by another isolate. */
  readonly memory: number | undefined
}

class RingTransport implements FrameTransport {
  readonly frameCapacity: number
  readonly close: Effect.Effect<void>
  readonly rings: Rings
  readonly openBacking: FrameTransport["openBacking"]
  readonly closeBacking: FrameTransport["closeBacking"]
  readonly notify: FrameTransport["notify"]
  readonly notifyNow: FrameTransport["notifyNow"]
  readonly receive: FrameTransport["receive"]
  private readonly device: PacedTransport
  private readonly readsDevice: boolean
  private readonly ring: Ring
  private readonly control: Int32Array
  private readonly entries: number
  /** Empty until the entries are registered. */
  private slots: ReadonlyArray<RingSlot> = []
  private held = 0
  private sink: FrameSink | undefined
  private fail: ((error: Effect.Effect<never, TransportError>) => void) | undefined
  /** Entries with requests that were not delivered yet: the reader was stopped. */
  private readonly undelivered: Array<number> = []
  private closed = false

  constructor(handle: FuseHandle, device: PacedTransport, ring: Ring, options: RegisterOptions) {
    const { pace } = options
    this.device = device
    this.readsDevice = options.memory === undefined
    this.ring = ring
    this.control = new Int32Array(ring.control)
    this.entries = (this.control.length - ringControl.lists) >> 1
    this.frameCapacity = device.frameCapacity
    this.openBacking = device.openBacking
    this.closeBacking = device.closeBacking
    this.notify = device.notify
    this.notifyNow = device.notifyNow
    this.receive = device.receive
    this.rings = {
      start: (agreed) => this.register(handle, payloadFor(agreed), options),
      drop: () => ring.close(),
      leave: () => {
        ring.close()
        device.pace(pace)
      },
      device: () => addon.fd(handle),
      answerBy: ring.answer_by,
      giveBack: () => {
        device.pace(0)
        giveBack(handle)
      }
    }
    this.close = Effect.suspend(() => {
      this.closed = true
      // First: what it has of the device keeps that open.
      ring.close()
      return device.close
    })
  }

  private register(handle: FuseHandle, payload: number, { memory: number, pace }: RegisterOptions): number {
    const registered = this.ring.register(handle, payload, number)
    if (typeof registered === "number") return registered
    const memory = {
      bytes: new Uint8Array(registered),
      view: new DataView(registered),
      words: new Uint32Array(registered)
    }
    const { header_stride: stride } = this.ring
    const headers = wholePages(this.entries * stride)
    const room = wholePages(payload)
    this.slots = Array.from(
      { length: this.entries },
      (_, entry) => new RingSlot(memory, entry, entry * stride, headers + entry * room, payload)
    )
    // What the kernel brings has its place already.
    this.device.lendMemory(undefined)
    this.device.pace(pace)
    if (this.sink !== undefined) this.listen()
    return 0
  }

  freeSlots = (): number => (this.slots.length === 0 ? this.device.freeSlots() : this.slots.length - this.held)

  run = (sink: FrameSink): Effect.Effect<TransportEnd, TransportError> =>
    this.readsDevice ? Effect.raceFirst(this.device.run(sink), this.runRing(sink)) : this.runRing(sink)

  /** Delivers what the ring brings, beside the device; ends with an error only. */
  private runRing(sink: FrameSink): Effect.Effect<never, TransportError> {
    return Effect.callback((resume) => {
      this.sink = sink
      this.fail = resume
      if (this.slots.length > 0) this.listen()
      // Of these the ring does not tell again.
      const late = this.undelivered.length > 0 ? setImmediate(() => this.deliver()) : undefined
      return Effect.sync(() => {
        clearImmediate(late)
        this.sink = undefined
        this.fail = undefined
        this.ring.stop()
      })
    })
  }

  private listen(): void {
    const status = this.ring.start(this.onReady)
    if (status < 0) this.fail?.(Effect.fail(errnoError("io_uring_enter", status)))
  }

  private onReady = (status: number): void => {
    if (status < 0) {
      this.fail?.(Effect.fail(errnoError("io_uring_enter", status)))
      return
    }
    const { control, undelivered } = this
    const count = control[ringControl.ready] ?? 0
    const list = ringControl.lists + this.entries
    for (let i = 0; i < count; i++) undelivered.push(control[list + i] ?? 0)
    control[ringControl.ready] = 0
    this.deliver()
  }

  private deliver(): void {
    const { sink, slots, undelivered } = this
    if (sink === undefined) return
    let at = 0
    try {
      while (at < undelivered.length) {
        const slot = slots[undelivered[at++] ?? -1]
        if (slot === undefined) continue
        this.take(slot)
        sink.onFrame(slot)
        // The sink may have interrupted this loop.
        if (this.sink !== sink) break
      }
    } catch (defect) {
      this.fail?.(Effect.die(defect))
    }
    undelivered.splice(0, at)
    if (this.sink === sink) sink.onBatchEnd()
  }

  private take(slot: RingSlot): void {
    slot.held = true
    this.held++
    const size = slot.words[slot.payloadSize] ?? 0
    const { body, bytes } = slot
    slot.payload = body
    slot.end = body + size
    const opcode = size > 0 ? opcodeOf(slot) : 0
    slot.apart = opcode === ioctlOpcode ? bytes.slice(body, slot.end) : undefined
    if (opcode === notifyReplyOpcode && lengthOf(slot) === inHeaderSize + size) {
      bytes.copyWithin(slot.args, body, body + notifyRetrieveInSize)
      slot.payload = body + notifyRetrieveInSize
    }
  }

  /** Commits an entry: its reply goes to the kernel, which may give it the next request. */
  private commit(slot: RingSlot, error: number, bodyLength: number): number {
    if (!slot.held) throw new Error("a slot was given back twice")
    slot.held = false
    this.held--
    if (this.closed) return -EBADF
    const { control } = this
    putOutHeaderInPlace(slot, outHeaderSize + bodyLength, error)
    slot.words[slot.payloadSize] = bodyLength
    const commits = control[ringControl.commits] ?? 0
    control[ringControl.lists + commits] = slot.entry
    control[ringControl.commits] = commits + 1
    if (control[ringControl.entering] !== 0) return 0
    const status = this.ring.submit()
    return status < 0 ? -ENODEV : 0
  }

  reply = (slot: Slot, error: number, bodyLength: number): number =>
    slot instanceof RingSlot
      ? this.commit(slot, error, error === 0 ? bodyLength : 0)
      : this.device.reply(slot, error, bodyLength)

  replyData = (slot: Slot, views: ReadonlyArray<Uint8Array>): number =>
    slot instanceof RingSlot ? this.commitData(slot, views) : this.device.replyData(slot, views)

  private commitData(slot: RingSlot, views: ReadonlyArray<Uint8Array>): number {
    const { body, bodyCapacity, bytes } = slot
    // Pieces of the request's own data must not be overwritten by those before them.
    const safe =
      views.length > 1 && views.some(({ buffer }) => buffer === bytes.buffer) ? [Buffer.concat(views)] : views
    let length = 0
    for (const view of safe) length += view.length
    if (length > bodyCapacity) return this.commit(slot, -EIO, 0)
    let at = body
    for (const view of safe) {
      bytes.set(view, at)
      at += view.length
    }
    return this.commit(slot, 0, length)
  }

  replyParts = (slot: Slot, parts: ReadonlyArray<DataPart>): number =>
    slot instanceof RingSlot ? this.commitParts(slot, parts) : this.device.replyParts(slot, parts)

  private commitParts(slot: RingSlot, parts: ReadonlyArray<DataPart>): number {
    if (partsLength(parts) > slot.bodyCapacity) return this.commit(slot, -EIO, 0)
    const count = readParts(parts, slot.bytes, slot.body)
    return this.commit(slot, Math.min(count, 0), Math.max(count, 0))
  }

  /** A ring's entry waits for the reply whatever becomes of its memory. */
  detach = (slot: Slot): DetachedRequest => (slot instanceof RingSlot ? slot : this.device.detach(slot))

  replyDetached = (request: DetachedRequest, error: number, views: ReadonlyArray<Uint8Array>): number => {
    if (!(request instanceof RingSlot)) return this.device.replyDetached(request, error, views)
    return error === 0 ? this.commitData(request, views) : this.commit(request, error, 0)
  }

  replyPartsDetached = (request: DetachedRequest, parts: ReadonlyArray<DataPart>): number =>
    request instanceof RingSlot ? this.commitParts(request, parts) : this.device.replyPartsDetached(request, parts)

  takePayload = (slot: Slot, offset: number, length: number): Uint8Array =>
    slot instanceof RingSlot
      ? (slot.apart ?? slot.bytes.slice(offset, offset + length))
      : this.device.takePayload(slot, offset, length)

  lendMemory = (memory: (() => Uint8Array | undefined) | undefined): void => {
    if (this.slots.length === 0) this.device.lendMemory(memory)
  }

  spliceReplies = (how: { readonly move: boolean } | undefined): void => this.device.spliceReplies(how)

  release = (slot: Slot): void => {
    // Whatever comes by a ring has somebody who waits for a reply.
    if (slot instanceof RingSlot) this.commit(slot, -EIO, 0)
    else this.device.release(slot)
  }

  flush = (): void => this.device.flush()
}

/** The transport of a device and of a ring, which is closed with it. */
export const makeRingTransportOver = (
  handle: FuseHandle,
  ring: Ring,
  options: RingTransportOptions = {}
): Effect.Effect<FrameTransport, TransportError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(
      makePacedTransport(handle, options),
      (device) => new RingTransport(handle, device, ring, { pace: options.pace ?? defaultPace, memory: undefined })
    ),
    (transport) => transport.close
  )

/**
 * A transport that can serve the connection of a device over io_uring, closed with its scope. Fails where no ring is to be had: with
 * EPERM when io_uring is denied (the sysctl `kernel.io_uring_disabled`, a container's seccomp filter), ENOSYS or EINVAL on a kernel
 * that is too old. Whether the connection may use it is for INIT to say.
 */
export const makeRingTransport = (
  handle: FuseHandle,
  options: RingTransportOptions = {}
): Effect.Effect<FrameTransport, TransportError, Scope.Scope> =>
  Effect.suspend(() => {
    const ring = addon.ring(machineQueues(options.depth))
    if (typeof ring !== "number") return makeRingTransportOver(handle, ring, options)
    const error: SystemCallError = errnoError("io_uring_setup", ring, "io_uring cannot be used here")
    return Effect.fail(error)
  })

/** What an isolate that serves some of a connection's queues is told. */
export interface QueueTransportOptions extends Omit<DeviceTransportOptions, "write"> {
  /** The queue of each entry. */
  readonly queues: Uint16Array
  /** The number of the entries' memory (`makeRingMemory`). */
  readonly memory: number
}

/**
 * A transport of some of a connection's queues, for one of several isolates: it reads no device. Its `rings.start` registers them.
 * Fails as `makeRingTransport`.
 */
export const makeQueueTransport = (
  handle: FuseHandle,
  options: QueueTransportOptions
): Effect.Effect<FrameTransport & Required<Pick<FrameTransport, "rings">>, TransportError, Scope.Scope> =>
  Effect.suspend(() => {
    const ring = addon.ring(options.queues)
    if (typeof ring === "number")
      return Effect.fail<TransportError>(errnoError("io_uring_setup", ring, "io_uring cannot be used here"))
    return Effect.acquireRelease(
      Effect.map(
        makePacedTransport(handle, options),
        (device) => new RingTransport(handle, device, ring, { pace: defaultPace, memory: options.memory })
      ),
      (transport) => transport.close
    )
  })

/** Memory for the entries of a ring, which stays as long as the scope, whichever isolate serves them: its number. */
export const makeRingMemory = (
  entries: number,
  agreed: { readonly maxWrite: number; readonly maxPages: number }
): Effect.Effect<number, TransportError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const number = addon.ring_memory(entries, payloadFor(agreed))
      return number < 0
        ? Effect.fail<TransportError>(errnoError("mmap", number, "no memory for the entries of a ring"))
        : Effect.succeed(number)
    }),
    (number) => Effect.sync(() => addon.release_ring_memory(number))
  )

/** Has the calling thread run on these CPUs alone. */
export const pinThread = (cpus: ReadonlyArray<number>): Effect.Effect<void, TransportError> =>
  Effect.suspend(() => {
    const status = addon.pin_thread(Uint16Array.from(cpus))
    return status < 0 ? Effect.fail<TransportError>(errnoError("sched_setaffinity", status)) : Effect.void
  })

/** Calls statfs(2) on a mount from a CPU, so that the kernel looks at that CPU's queue. Succeeds whatever that answers. */
export const nudgeQueue = (cpu: number, mountpoint: string): Effect.Effect<void> =>
  Effect.asVoid(Effect.promise(() => addon.nudge(cpu, mountpoint)))
