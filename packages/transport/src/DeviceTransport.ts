/**
 * Frames over one descriptor that keeps message boundaries: `/dev/fuse`, or a SEQPACKET socket.
 *
 * A small pool of slots bounds memory; each is touched, and locked where allowed, before its first
 * read. Frames are read until there is none, in bounded batches, so that the host program's timers and
 * sockets stay alive.
 */
import * as Effect from "effect/Effect"
import { systemError, type TransportError } from "./errors.ts"
import type { DetachedRequest, FrameSink, FrameTransport, Slot, TransportEnd } from "./FrameTransport.ts"
import { type FuseHandle, native } from "./native.ts"
import { watchRead } from "./select.ts"

const inHeaderSize = 40
const outHeaderSize = 16
/** Frames handled before the event loop gets its turn. */
const batchSize = 64

const EIO = 5
const EINTR = 4
const ENOENT = 2
const EAGAIN = 11
const ENODEV = 19
const ECONNRESET = 104
const ECONNABORTED = 103
const EPIPE = 32

export interface DeviceTransportOptions {
  /** Requests that can hold memory at once. Default 8. */
  readonly slots?: number
  /** Largest frame, in bytes; max_write plus room for a header and names. Default 1 MiB + 72 KiB. */
  readonly frameCapacity?: number
  /** Largest reply body that is encoded in place, in bytes. Default 256 KiB. */
  readonly bodyCapacity?: number
}

class DeviceSlot implements Slot {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly header = 0
  readonly args = inHeaderSize
  readonly payload = inHeaderSize
  end = 0
  readonly body: number
  readonly bodyCapacity: number
  /** Given out and not yet given back. */
  owned = false

  constructor(frameCapacity: number, bodyCapacity: number) {
    this.body = frameCapacity + outHeaderSize
    this.bodyCapacity = bodyCapacity
    this.bytes = new Uint8Array(new ArrayBuffer(this.body + bodyCapacity))
    this.view = new DataView(this.bytes.buffer)
    // Best effort: without the right to lock, the pages are at least there now.
    native.lock_memory(this.bytes)
  }
}

const endOf = (length: number): TransportEnd | undefined => {
  switch (length) {
    case 0:
    case -ECONNRESET:
    case -EPIPE:
      return "closed"
    case -ENODEV:
      return "unmounted"
    case -ECONNABORTED:
      return "aborted"
    default:
      return undefined
  }
}

/** A transport on `handle`, which it closes with its own end. */
export const makeDeviceTransport = (handle: FuseHandle, options?: DeviceTransportOptions): Effect.Effect<FrameTransport> =>
  Effect.sync(() => deviceTransport(handle, options))

const deviceTransport = (handle: FuseHandle, options: DeviceTransportOptions | undefined): FrameTransport => {
  const frameCapacity = (options?.frameCapacity ?? (1 << 20) + 72 * 1024) & ~15
  const bodyCapacity = options?.bodyCapacity ?? 256 * 1024
  const count = options?.slots ?? 8
  const free: Array<DeviceSlot> = []
  for (let index = 0; index < count; index++) free.push(new DeviceSlot(frameCapacity, bodyCapacity))
  const detachedHeader = new Uint8Array(outHeaderSize)
  const detachedView = new DataView(detachedHeader.buffer)
  /** Called when a slot comes free while the reader waits for one. */
  let onFree: (() => void) | undefined

  const giveBack = (slot: Slot): void => {
    // Every slot given out is one of the pool's.
    const own = slot as DeviceSlot
    if (!own.owned) return
    own.owned = false
    free.push(own)
    if (onFree !== undefined) onFree()
  }

  const writeHeader = (view: DataView, at: number, length: number, error: number, low: number, high: number): void => {
    view.setUint32(at, length, true)
    view.setInt32(at + 4, error, true)
    view.setUint32(at + 8, low, true)
    view.setUint32(at + 12, high, true)
  }

  /** Reads one frame into a free slot. */
  const readOne = (): DeviceSlot | number => {
    const slot = free.pop()
    if (slot === undefined) return -EAGAIN
    for (;;) {
      const length = native.read_frame(handle, slot.bytes, 0, frameCapacity)
      // ENOENT: the request vanished while it was copied.
      if (length === -EINTR || length === -ENOENT) continue
      if (length > 0 && length < inHeaderSize) continue
      if (length <= 0) {
        free.push(slot)
        return length
      }
      slot.end = length
      slot.owned = true
      return slot
    }
  }

  const run = (sink: FrameSink): Effect.Effect<TransportEnd, TransportError> =>
    Effect.callback<TransportEnd, TransportError>((resume) => {
      let stopped = false
      const stop = (): void => {
        stopped = true
        onFree = undefined
        native.select_stop(handle)
      }
      const arm = (): void => {
        const failed = watchRead(handle, onReady, true)
        if (failed !== undefined) {
          stop()
          resume(Effect.fail(failed))
        }
      }
      const onReady = (): void => {
        for (let budget = batchSize; budget > 0 && !stopped; budget--) {
          if (free.length === 0) {
            // Level-triggered readiness would spin: it is armed again when a slot comes back.
            native.select_stop(handle)
            onFree = () => {
              onFree = undefined
              arm()
            }
            break
          }
          const slot = readOne()
          if (typeof slot === "number") {
            if (slot === -EAGAIN) break
            stop()
            const end = endOf(slot)
            resume(end === undefined ? Effect.fail(systemError("read", slot)) : Effect.succeed(end))
            break
          }
          sink.onFrame(slot)
        }
        sink.onBatchEnd()
      }
      if (native.fd(handle) < 0) {
        resume(Effect.succeed("closed"))
        return
      }
      arm()
      return Effect.sync(stop)
    })

  const send = (slot: Slot, error: number, bodyLength: number): number => {
    const at = slot.body - outHeaderSize
    const length = outHeaderSize + bodyLength
    const { view } = slot
    writeHeader(view, at, length, error, view.getUint32(8, true), view.getUint32(12, true))
    const written = native.write_range(handle, slot.bytes, at, length)
    giveBack(slot)
    return written < 0 ? written : 0
  }

  return {
    frameCapacity,
    freeSlots: () => free.length,
    run,
    receive: () => {
      const slot = readOne()
      if (typeof slot !== "number") return slot
      return slot === -EAGAIN ? undefined : endOf(slot) ?? "closed"
    },
    reply: send,
    replyData: (slot, views) => {
      if (!views.every((view) => view instanceof Uint8Array)) return send(slot, -EIO, 0)
      let length = outHeaderSize
      for (const view of views) length += view.length
      const at = slot.body - outHeaderSize
      writeHeader(slot.view, at, length, 0, slot.view.getUint32(8, true), slot.view.getUint32(12, true))
      const first = views[0]
      const written = views.length === 1 && first !== undefined
        ? native.write_range(handle, slot.bytes, at, outHeaderSize, first)
        : native.write_range(handle, slot.bytes, at, outHeaderSize, ...views)
      giveBack(slot)
      return written < 0 ? written : 0
    },
    detach: (slot) => {
      const detached: DetachedRequest = { uniqueLow: slot.view.getUint32(8, true), uniqueHigh: slot.view.getUint32(12, true) }
      giveBack(slot)
      return detached
    },
    replyDetached: (request, error, views) => {
      let length = outHeaderSize
      for (const view of views) length += view.length
      writeHeader(detachedView, 0, length, error, request.uniqueLow, request.uniqueHigh)
      const written = native.write_frame(handle, detachedHeader, ...views)
      return written < 0 ? written : 0
    },
    takePayload: (slot, offset, length) => slot.bytes.slice(offset, offset + length),
    release: giveBack,
    notify: (...parts) => {
      const written = native.write_frame(handle, ...parts)
      return written < 0 ? written : 0
    },
    flush: () => {},
    close: Effect.sync(() => native.close(handle))
  }
}
