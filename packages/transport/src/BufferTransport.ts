/** Frames that a program carries itself: bytes in, bytes out, no descriptor. */
import type { DataPart } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import { constants } from "node:os"
import type { DetachedRequest, FrameSink, FrameTransport, Slot, TransportEnd } from "./FrameTransport.ts"
import { inHeaderSize, outHeaderSize, requestOf, setOutHeader } from "./headers.ts"
import { partsLength, readParts } from "./parts.ts"

const { EBADF, EOPNOTSUPP } = constants.errno

const defaultFrameCapacity = (1 << 20) + 4096
const bodyCapacity = 256 << 10

/** A transport whose frames are given and taken as bytes. */
export interface BufferTransport extends FrameTransport {
  /** Hands one frame, as a kernel sends it, to whoever serves it. False when that has ended. The bytes are copied. */
  readonly deliver: (frame: Uint8Array) => boolean
  /** The peer has hung up: `run` ends. */
  readonly hangUp: (end: TransportEnd) => void
}

/** Frames of up to so many bytes, which is all but WRITEs, lie in memory that is used again. */
const smallFrame = 4096
const smallMemory = smallFrame + outHeaderSize + bodyCapacity
const nothing = (): void => {}
/** Memories that wait to be used again, at the most. */
const mostSpare = 8

/**
 * Memory of small frames. To make it anew for each cost 300 us of processor time a request, a quarter of a MiB of zeroes and their
 * collection; with it a request costs 30 (2026-11-28, 10,000 calls of `stat` on a shared `memory()`, three requests each).
 */
const makeSpare = () => {
  const spare: Array<ArrayBuffer> = []
  const lent = new WeakSet<Slot>()
  return {
    memory: (size: number): ArrayBuffer =>
      (size > smallMemory ? undefined : spare.pop()) ?? new ArrayBuffer(Math.max(size, smallMemory)),
    lend: (slot: Slot): void => void lent.add(slot),
    /** Its request is answered, but what is read from it may still be needed. */
    keep: (slot: Slot): void => void lent.delete(slot),
    takeBack: (slot: Slot): void => {
      if (lent.delete(slot) && spare.length < mostSpare && slot.view.byteLength === smallMemory)
        spare.push(slot.words.buffer as ArrayBuffer)
    }
  }
}

const makeSlot = (frame: Uint8Array, memoryOf: (size: number) => ArrayBuffer): Slot => {
  const body = ((Math.max(frame.length, inHeaderSize) + 7) & ~7) + outHeaderSize
  const memory = memoryOf(body + bodyCapacity)
  const bytes = new Uint8Array(memory)
  bytes.set(frame)
  return {
    bytes,
    view: new DataView(memory),
    words: new Uint32Array(memory),
    header: 0,
    args: inHeaderSize,
    payload: inHeaderSize,
    end: frame.length,
    body,
    bodyCapacity
  }
}

/** A reply in memory of its own. */
const replyOf = (request: DetachedRequest, error: number, views: ReadonlyArray<Uint8Array>): Uint8Array => {
  const body = error === 0 ? Buffer.concat(views) : new Uint8Array(0)
  const frame = new Uint8Array(outHeaderSize + body.length)
  setOutHeader(new DataView(frame.buffer), frame.length, error, request)
  frame.set(body, outHeaderSize)
  return frame
}

/** The bytes of parts, or a negative errno. */
const joined = (parts: ReadonlyArray<DataPart>): Uint8Array | number => {
  const bytes = new Uint8Array(partsLength(parts))
  const count = readParts(parts, bytes, 0)
  return count < 0 ? count : bytes.subarray(0, count)
}

/** `write` is given each reply and notification, one complete frame in memory of its own. */
export const makeBufferTransport = (
  write: (frame: Uint8Array) => void,
  frameCapacity = defaultFrameCapacity
): BufferTransport => {
  let reader: { readonly sink: FrameSink; readonly finish: (end: TransportEnd) => void } | undefined
  let ended: TransportEnd | undefined
  let closed = false
  /** Came while nobody read: a part of the session was being restarted. */
  const early: Array<Slot> = []
  const spare = makeSpare()

  /** `copied` is called before the frame is given away: whoever takes it may deliver the next request at once. */
  const send = (
    request: DetachedRequest,
    error: number,
    views: ReadonlyArray<Uint8Array>,
    copied: () => void = nothing
  ): number => {
    if (closed) return -EBADF
    const frame = replyOf(request, error, views)
    copied()
    write(frame)
    return 0
  }
  const sendFor = (slot: Slot, error: number, views: ReadonlyArray<Uint8Array>): number =>
    send(requestOf(slot), error, views, () => spare.takeBack(slot))

  const notifyNow = (...parts: ReadonlyArray<Uint8Array>): number => {
    if (closed) return -EBADF
    write(new Uint8Array(Buffer.concat(parts)))
    return 0
  }

  const hangUp = (end: TransportEnd): void => {
    ended ??= end
    reader?.finish(ended)
  }

  return {
    frameCapacity,
    freeSlots: () => 8,
    run: (sink) =>
      Effect.callback((resume) => {
        reader = { sink, finish: (end) => resume(Effect.succeed(end)) }
        if (ended !== undefined) resume(Effect.succeed(ended))
        for (const slot of early.splice(0)) sink.onFrame(slot)
        sink.onBatchEnd()
        return Effect.sync(() => {
          reader = undefined
        })
      }),
    receive: () => ended,
    reply: (slot, error, length) => sendFor(slot, error, [slot.bytes.subarray(slot.body, slot.body + length)]),
    replyData: (slot, views) => sendFor(slot, 0, views),
    replyParts: (slot, parts) => {
      const data = joined(parts)
      return typeof data === "number" ? sendFor(slot, data, []) : sendFor(slot, 0, [data])
    },
    detach: (slot) => {
      spare.keep(slot)
      return requestOf(slot)
    },
    replyDetached: send,
    replyPartsDetached: (request, parts) => {
      const data = joined(parts)
      return typeof data === "number" ? send(request, data, []) : send(request, 0, [data])
    },
    // The slot is this request's alone.
    takePayload: (slot, offset, length) => {
      spare.keep(slot)
      return slot.bytes.subarray(offset, offset + length)
    },
    // A frame lies in memory of its own already.
    lendMemory: () => {},
    spliceReplies: () => {},
    release: spare.takeBack,
    openBacking: () => -EOPNOTSUPP,
    closeBacking: () => -EOPNOTSUPP,
    notify: (...parts) => Promise.resolve(notifyNow(...parts)),
    notifyNow,
    flush: () => {},
    close: Effect.sync(() => {
      closed = true
      hangUp("closed")
    }),
    deliver: (frame) => {
      if (ended !== undefined) return false
      const slot = makeSlot(frame, spare.memory)
      spare.lend(slot)
      if (reader === undefined) early.push(slot)
      else {
        reader.sink.onFrame(slot)
        reader.sink.onBatchEnd()
      }
      return true
    },
    hangUp
  }
}
