/**
 * The kernel's part of FUSE over io_uring, for tests: it stands between a fake kernel and a session, and delivers by a ring what
 * the kernel would deliver by one. INIT, FORGET, INTERRUPT and notifications go by the device.
 */
import { errnoNumbers, opcodes } from "@bickford/protocol"
import { frameOf, opcodeOf, structs } from "@bickford/protocol/codec"
import {
  close,
  type FuseHandle,
  read_frame,
  type Ring,
  select_read,
  type TransportError,
  write_frame
} from "@bickford/transport"
import * as Effect from "effect/Effect"
import { controlWords, headerStride, RingEntries } from "./ringEntries.ts"

/** Larger than any frame here. */
const bound = (4 << 20) + 4096
const { EINVAL } = errnoNumbers

/** A ring without a kernel, and what it stands between. */
export interface FakeRing {
  readonly ring: Ring
  /** Carries frames until one of both sides hangs up. */
  readonly relay: Effect.Effect<void>
  /** Requests that were delivered by the ring so far. */
  readonly delivered: () => number
}

/** Reads frames from `handle` until its peer hangs up. */
const eachFrame = (handle: FuseHandle, take: (frame: Uint8Array) => Effect.Effect<void>): Effect.Effect<void> => {
  const next: Effect.Effect<Uint8Array, TransportError> = read_frame(handle, { bound }).pipe(
    Effect.catchTag("EAGAIN", () => Effect.andThen(select_read(handle), next))
  )
  return Effect.gen(function* () {
    for (;;) {
      const frame = yield* next
      if (frame.length === 0) return
      yield* take(frame)
    }
  }).pipe(Effect.catch(() => Effect.void))
}

/** What a fake ring is like. */
export interface FakeRingOptions {
  /** Requests that it holds at once. Default 256. */
  readonly entries?: number
  /** The positive errno that registering ends with. */
  readonly refusesWith?: number
}

/** Has the session called on the event loop while requests are ready, as the addon does. */
class Delivery {
  readonly #entries: RingEntries
  readonly #submit: () => void
  #callback: ((status: number) => void) | undefined
  #scheduled: NodeJS.Immediate | undefined
  /** Turns of the event loop that the ring waits for what went by the device before. */
  #patience = 0
  closed = false

  constructor(entries: RingEntries, submit: () => void) {
    this.#entries = entries
    this.#submit = submit
  }

  /** The next requests come after what was just written to the device. */
  letDeviceGoFirst(): void {
    this.#patience = 2
  }

  now(): void {
    const { control } = this.#entries
    this.#entries.fill()
    if (this.#callback === undefined || (control[controlWords.ready] ?? 0) === 0) return
    control[controlWords.entering] = 1
    this.#callback(control[controlWords.ready] ?? 0)
    control[controlWords.entering] = 0
    this.#submit()
  }

  schedule(): void {
    if (this.#callback !== undefined && !this.closed) this.#scheduled ??= setImmediate(() => this.#turn())
  }

  start(callback: (status: number) => void): void {
    this.#callback = callback
    this.schedule()
  }

  stop(): void {
    this.#callback = undefined
    clearImmediate(this.#scheduled)
    this.#scheduled = undefined
  }

  #turn(): void {
    this.#scheduled = undefined
    if (this.#patience > 0) {
      this.#patience--
      this.schedule()
    } else this.now()
  }
}

/** Whatever is wrong with a peer, reading from it will tell. */
const write = (handle: FuseHandle, frame: Uint8Array): Effect.Effect<void> =>
  Effect.ignore(write_frame(handle, frame, { bound }))

const isInterrupt = (frame: Uint8Array): boolean =>
  frame.length >= structs.inHeader.bytes && opcodeOf(frameOf(frame)) === opcodes.FUSE_INTERRUPT

/** A ring between `kernel`, the end of a fake kernel's socketpair, and `device`, that of a session's. */
export const makeFakeRing = (kernel: FuseHandle, device: FuseHandle, options: FakeRingOptions = {}): FakeRing => {
  const entries = new RingEntries(options.entries ?? 256)
  let agreed = false

  const fromServer = (frame: Uint8Array): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (!agreed) entries.agree(frame)
      agreed = true
      return write(kernel, frame)
    })

  /** What the session wrote to the device before its replies: a device takes it at once. */
  const drainDevice: Effect.Effect<void> = Effect.ignore(
    Effect.forever(
      Effect.flatMap(read_frame(device, { bound }), (frame) =>
        frame.length === 0 ? Effect.fail("end") : fromServer(frame)
      )
    )
  )

  const submit = (): number => {
    Effect.runSync(drainDevice)
    for (const frame of entries.takeReplies()) Effect.runSync(write(kernel, frame))
    delivery.schedule()
    return 0
  }
  const delivery = new Delivery(entries, submit)

  const fromKernel = (frame: Uint8Array): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (delivery.closed || entries.argsSize(frame) === undefined) {
        // A request is delivered before it can be interrupted.
        if (isInterrupt(frame)) delivery.now()
        else delivery.letDeviceGoFirst()
        return write(device, frame)
      }
      entries.add(frame)
      delivery.schedule()
      return Effect.void
    })

  return {
    delivered: () => entries.delivered,
    relay: Effect.andThen(
      Effect.raceFirst(eachFrame(kernel, fromKernel), eachFrame(device, fromServer)),
      Effect.andThen(close(kernel), close(device))
    ),
    ring: {
      // The views are of nothing else.
      control: entries.control.buffer as ArrayBuffer,
      header_stride: headerStride,
      register: (_, payload) => {
        if (options.refusesWith !== undefined) return -options.refusesWith
        return entries.memory === undefined ? entries.allocate(payload) : -EINVAL
      },
      start: (callback) => {
        delivery.start(callback)
        return 0
      },
      stop: () => delivery.stop(),
      submit,
      answer_by: () => undefined,
      close: () => {
        delivery.closed = true
        delivery.stop()
      }
    }
  }
}
