/**
 * The kernel's part of FUSE over io_uring, for tests: it stands between a fake kernel and a session, and delivers by a ring what
 * the kernel would deliver by one. INIT, FORGET, INTERRUPT and notifications go by the device.
 */
import type { Version } from "@bickford/protocol"
import { frameOf, getU64, hasFlag, opcodeOf, opcodeTable, structs } from "@bickford/protocol/codec"
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

const { inHeader, initOut, outHeader, uringEntInOut, uringReqHeader } = structs

/** Words of a ring's control before its lists. */
const controlWords = { commits: 0, ready: 1, entering: 2, lists: 3 } as const
const headerStride = 320
const pageSize = 4096
/** Larger than any frame here. */
const bound = (4 << 20) + pageSize
const interrupt = 36
const EINVAL = 22
const EIO = 5

/** Opcodes that a kernel delivers by the device: FORGET, INIT, INTERRUPT, BATCH_FORGET. */
const byDevice = new Set([2, 26, 36, 42])
/** NOTIFY_REPLY: all of it lies in the payload, and it has no reply. */
const notifyReply = 41

const wholePages = (bytes: number): number => Math.ceil(bytes / pageSize) * pageSize

/** A ring without a kernel, and what it stands between. */
export interface FakeRing {
  readonly ring: Ring
  /** Carries frames until one of both sides hangs up. */
  readonly relay: Effect.Effect<void>
  /** Requests that were delivered by the ring so far. */
  readonly delivered: () => number
}

/** What a kernel keeps of a queue, here of all queues together. */
class Entries {
  readonly control: Int32Array
  /** Undefined until it is registered. */
  memory: { readonly bytes: Uint8Array; readonly view: DataView } | undefined
  delivered = 0
  readonly count: number
  readonly #free: Array<number>
  readonly #silent = new Set<number>()
  readonly #waiting: Array<Uint8Array> = []
  #payloads = 0
  #room = 0
  #version: Version | undefined

  constructor(count: number) {
    this.count = count
    this.control = new Int32Array(controlWords.lists + 2 * count)
    this.#free = Array.from({ length: count }, (_, entry) => entry)
  }

  allocate(payload: number): ArrayBuffer {
    this.#room = wholePages(payload)
    this.#payloads = wholePages(this.count * headerStride)
    const memory = new ArrayBuffer(this.#payloads + this.count * this.#room)
    this.memory = { bytes: new Uint8Array(memory), view: new DataView(memory) }
    return memory
  }

  /** INIT's answer says how long a SETXATTR's struct is. */
  agree(frame: Uint8Array): void {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
    if (frame.length < outHeader.bytes + initOut.flags + 4) return
    const flags = view.getUint32(outHeader.bytes + initOut.flags, true)
    this.#version = {
      minor: view.getUint32(outHeader.bytes + initOut.minor, true),
      setxattrExt: hasFlag({ flags, flags2: 0 }, "FUSE_SETXATTR_EXT")
    }
  }

  /** Bytes of a request's first struct; undefined for what no kernel sends by a ring. */
  argsSize(frame: Uint8Array): number | undefined {
    if (this.memory === undefined || frame.length < inHeader.bytes) return undefined
    const opcode = opcodeOf(frameOf(frame))
    if (byDevice.has(opcode)) return undefined
    if (opcode === notifyReply) return 0
    const row = opcodeTable[opcode]
    // No kernel sends what it does not know. Here it tells that all before it was taken, FORGETs for one.
    if (row === undefined) return undefined
    const size = row.argsSizeOf?.(this.#version) ?? row.argsSize
    return inHeader.bytes + size > frame.length ? undefined : size
  }

  add(frame: Uint8Array): void {
    this.#waiting.push(frame)
  }

  /** Puts requests that wait into entries that are free. */
  fill(): void {
    while (this.#waiting.length > 0 && this.#free.length > 0) {
      const frame = this.#waiting.shift()
      const entry = this.#free.shift()
      if (frame !== undefined && entry !== undefined) this.#deliver(frame, entry)
    }
  }

  #deliver(frame: Uint8Array, entry: number): void {
    const { control, memory } = this
    const args = this.argsSize(frame)
    if (memory === undefined || args === undefined) return
    this.delivered++
    if (opcodeOf(frameOf(frame)) === notifyReply) this.#silent.add(entry)
    const header = entry * headerStride
    const rest = frame.subarray(inHeader.bytes + args)
    memory.bytes.set(frame.subarray(0, inHeader.bytes), header)
    memory.bytes.set(frame.subarray(inHeader.bytes, inHeader.bytes + args), header + uringReqHeader.opIn)
    memory.bytes.set(rest, this.#payloads + entry * this.#room)
    const own = header + uringReqHeader.ringEntInOut
    memory.view.setUint32(own + uringEntInOut.payloadSz, rest.length, true)
    memory.bytes.copyWithin(own + uringEntInOut.commitId, header + inHeader.unique, header + inHeader.unique + 8)
    const ready = control[controlWords.ready] ?? 0
    control[controlWords.lists + this.count + ready] = entry
    control[controlWords.ready] = ready + 1
  }

  /** Takes what was committed, as reply frames. */
  takeReplies(): ReadonlyArray<Uint8Array> {
    const { control, memory } = this
    const commits = control[controlWords.commits] ?? 0
    control[controlWords.commits] = 0
    if (memory === undefined) return []
    const committed = Array.from(control.subarray(controlWords.lists, controlWords.lists + commits))
    return committed.flatMap((entry) => {
      if (this.#silent.delete(entry)) {
        this.#free.push(entry)
        return []
      }
      const header = entry * headerStride
      const own = header + uringReqHeader.ringEntInOut
      const size = memory.view.getUint32(own + uringEntInOut.payloadSz, true)
      const at = this.#payloads + entry * this.#room
      this.#free.push(entry)
      const frame = Buffer.concat([
        memory.bytes.subarray(header, header + outHeader.bytes),
        memory.bytes.subarray(at, at + size)
      ])
      // As the kernel does, which reads the header of another request's reply as an error.
      const right =
        frame.readUInt32LE(outHeader.len) === frame.length &&
        getU64(memory.view, header + outHeader.unique) === getU64(memory.view, own + uringEntInOut.commitId)
      if (!right) frame.writeInt32LE(-EIO, outHeader.error)
      return [frame]
    })
  }
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

/** A ring between `kernel`, the end of a fake kernel's socketpair, and `device`, that of a session's. */
export const makeFakeRing = (kernel: FuseHandle, device: FuseHandle, options: FakeRingOptions = {}): FakeRing => {
  const entries = new Entries(options.entries ?? 256)
  const { control } = entries
  let callback: ((status: number) => void) | undefined
  let scheduled: NodeJS.Immediate | undefined
  let agreed = false
  let closed = false
  /** Turns of the event loop that the ring waits for what went by the device before. */
  let patience = 0

  /** Whatever is wrong with a peer, reading from it will tell. */
  const write = (handle: FuseHandle, frame: Uint8Array): Effect.Effect<void> =>
    Effect.ignore(write_frame(handle, frame, { bound }))

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
    schedule()
    return 0
  }

  const turn = (): void => {
    scheduled = undefined
    if (patience > 0) {
      patience--
      schedule()
      return
    }
    deliver()
  }

  const deliver = (): void => {
    entries.fill()
    if (callback === undefined || (control[controlWords.ready] ?? 0) === 0) return
    control[controlWords.entering] = 1
    callback(control[controlWords.ready] ?? 0)
    control[controlWords.entering] = 0
    submit()
  }

  const schedule = (): void => {
    if (callback !== undefined && !closed) scheduled ??= setImmediate(turn)
  }

  const stop = (): void => {
    callback = undefined
    clearImmediate(scheduled)
    scheduled = undefined
  }

  const fromKernel = (frame: Uint8Array): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (closed || entries.argsSize(frame) === undefined) {
        // A request is delivered before it can be interrupted.
        if (frame.length >= inHeader.bytes && opcodeOf(frameOf(frame)) === interrupt) deliver()
        else patience = 2
        return write(device, frame)
      }
      entries.add(frame)
      schedule()
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
      control: control.buffer as ArrayBuffer,
      header_stride: headerStride,
      register: (_, payload) => {
        if (options.refusesWith !== undefined) return -options.refusesWith
        return entries.memory === undefined ? entries.allocate(payload) : -EINVAL
      },
      start: (next) => {
        callback = next
        schedule()
        return 0
      },
      stop,
      submit,
      close: () => {
        closed = true
        stop()
      }
    }
  }
}
