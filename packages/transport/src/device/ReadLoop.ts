/** Reads every frame that is ready, in batches bounded by time, and hands each to the sink. */
import * as Effect from "effect/Effect"
import { constants } from "node:os"
import { performance } from "node:perf_hooks"
import { errnoError, type TransportError } from "../errors.ts"
import type { FrameSink, TransportEnd } from "../FrameTransport.ts"
import { addon, type FuseHandle } from "../native.ts"
import { selectError } from "../select.ts"
import type { DeviceSlots } from "./DeviceSlots.ts"
import type { FrameReader } from "./FrameReader.ts"

const { EAGAIN, EBUSY } = constants.errno

/** Milliseconds for which frames are read before the event loop gets its turn, and after how many the clock is read. */
const longestBatch = 0.4
const framesPerLook = 8

/** How a batch ended: the batch is full, nothing more is there, no slot is free, a read failed, or the sink is gone. */
type BatchEnd = "full" | "drained" | "slotless" | "failed" | "interrupted"

export class ReadLoop {
  private readonly handle: FuseHandle
  private readonly reader: FrameReader
  private readonly slots: DeviceSlots
  /** Replies go out by the channel, so that the next frame can be read with one. */
  private readonly pairs: boolean
  /** Within a batch: the next frame can be read with the reply to this one. */
  readsAhead = false
  private sink: FrameSink | undefined
  private finish: ((end: Effect.Effect<TransportEnd, TransportError>) => void) | undefined
  private armed = false
  private scheduled: NodeJS.Immediate | undefined
  /** Milliseconds to wait when all was read. */
  private rest = 0
  private resting: NodeJS.Timeout | undefined
  /** Of the batch: frames read, how many of them the sink has been told the end of, and what the last read answered. */
  private frames = 0
  private told = 0
  private result = 0

  constructor(handle: FuseHandle, reader: FrameReader, slots: DeviceSlots, pairs: boolean) {
    this.handle = handle
    this.reader = reader
    this.slots = slots
    this.pairs = pairs
    slots.onFree = this.readOn
  }

  run(sink: FrameSink): Effect.Effect<TransportEnd, TransportError> {
    return Effect.callback((resume) => {
      if (this.sink !== undefined) {
        resume(Effect.fail(errnoError("read", -EBUSY, "the connection is being read from already")))
        return
      }
      this.sink = sink
      this.finish = resume
      if (this.arm() && (this.reader.ahead !== undefined || this.reader.stream?.ready() === true)) this.schedule()
      return Effect.sync(this.stop)
    })
  }

  /** Having read everything that was there, waits for so many milliseconds before it looks again. */
  pace(milliseconds: number): void {
    this.rest = milliseconds
  }

  private stop = (): void => {
    this.sink = undefined
    this.finish = undefined
    this.slots.wanted = false
    if (this.scheduled !== undefined) clearImmediate(this.scheduled)
    this.scheduled = undefined
    clearTimeout(this.resting)
    this.resting = undefined
    this.disarm()
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

  /** Reads again: a slot is free. */
  private readOn = (): void => {
    this.slots.wanted = false
    if (this.sink === undefined) return
    if (this.arm() && this.reader.stream?.ready() === true) this.schedule()
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
      const ended = this.readBatch(sink)
      this.readsAhead = false
      if (ended === "interrupted" || this.sink !== sink) return
      if (this.told !== this.frames || this.frames === 0) sink.onBatchEnd()
      if (this.sink === sink) this.goOn(ended)
    } catch (defect) {
      this.end(Effect.die(defect))
    }
  }

  private readBatch(sink: FrameSink): BatchEnd {
    const { reader, slots } = this
    const until = performance.now() + longestBatch
    let frames = (this.frames = 0)
    this.told = 0
    this.readsAhead = this.pairs
    for (;;) {
      const slot = reader.ahead ?? slots.take()
      if (slot === undefined) {
        // Until one is given back the kernel keeps what comes.
        slots.wanted = true
        this.disarm()
        return "slotless"
      }
      const result = reader.read(slot)
      if (result <= 0) {
        slots.putBack(slot)
        this.result = result
        if (result !== -EAGAIN) return "failed"
        if (!this.goesOnAfterBatch(sink)) return this.sink === sink ? "drained" : "interrupted"
        continue
      }
      this.frames = ++frames
      slot.free = false
      sink.onFrame(slot)
      // The sink may have interrupted this loop.
      if (this.sink !== sink) return "interrupted"
      if (frames % framesPerLook === 0 && performance.now() > until) return "full"
    }
  }

  /** Nothing more is there. Whether to look once more: the sink had held replies, and those who got them may have asked for more. */
  private goesOnAfterBatch(sink: FrameSink): boolean {
    if (this.told === this.frames) return false
    this.told = this.frames
    if (sink.onBatchEnd() !== true && this.reader.ahead === undefined) return false
    return this.sink === sink
  }

  private goOn(ended: Exclude<BatchEnd, "interrupted">): void {
    switch (ended) {
      // Whoever gives a slot back, the sink just now or later, sees to it that reading goes on.
      case "slotless":
        return
      // More is to be expected. While it is read without waiting for it, the kernel need not tell the event loop
      // of each request.
      case "full":
        this.disarm()
        this.schedule()
        return
      case "drained":
        if (this.rest > 0 && this.frames > 0) this.restAWhile()
        else this.arm()
        return
      case "failed": {
        const end = this.reader.endReason(this.result)
        this.end(end === undefined ? Effect.fail(this.reader.error(this.result)) : Effect.succeed(end))
      }
    }
  }
}
