/** The read loop and the replies, over pipes and sockets in place of the device. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { makeDeviceTransport } from "../src/device/DeviceTransport.ts"
import type { FrameSink, FrameTransport, Slot } from "../src/FrameTransport.ts"
import { close, type FuseHandle, pipe_pair, socketpair } from "../src/handle.ts"
import { addon } from "../src/native.ts"
import { select_read } from "../src/select.ts"

const EAGAIN = 11
const small = { frameCapacity: 8192, bodyCapacity: 4096, slots: 4 }

/** A frame as a kernel sends it: `fuse_in_header` with this `unique`, and a payload. */
const frame = (unique: number, payload = 0, length = 40 + payload): Uint8Array => {
  const bytes = new Uint8Array(40 + payload).fill(unique & 0xff, 40)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, length, true)
  view.setUint32(8, unique, true)
  return bytes
}

const uniqueOf = (slot: Slot): number => slot.view.getUint32(slot.header + 8, true)

/** Collects what comes and gives each slot back, until `enough` frames are there. */
const collector = (transport: FrameTransport, enough: number) => {
  const uniques: Array<number> = []
  const lengths: Array<number> = []
  const batches: Array<number> = []
  let inBatch = 0
  const complete = Deferred.makeUnsafe<void>()
  const sink: FrameSink = {
    onFrame: (slot) => {
      uniques.push(uniqueOf(slot))
      lengths.push(slot.end)
      inBatch++
      transport.release(slot)
      if (uniques.length === enough) Deferred.doneUnsafe(complete, Exit.void)
    },
    onBatchEnd: () => {
      if (inBatch > 0) batches.push(inBatch)
      inBatch = 0
    }
  }
  return { sink, uniques, lengths, batches, complete: Deferred.await(complete) }
}

const upTo = (count: number): Array<number> => Array.from({ length: count }, (_, i) => i + 1)

/** Writes to a stream all that there is, waiting where it is full. */
const writeAll = (handle: FuseHandle, bytes: Uint8Array): Effect.Effect<void> =>
  Effect.gen(function* () {
    let at = 0
    while (at < bytes.length) {
      const count = addon.write_some(handle, bytes, at)
      if (count > 0) at += count
      else if (count === -EAGAIN) yield* Effect.yieldNow
      else return yield* Effect.die(new Error(`write: ${count}`))
    }
  })

/** Reads replies until `count` bytes are there. */
const readAll = (handle: FuseHandle, count: number) =>
  Effect.gen(function* () {
    const bytes = new Uint8Array(count)
    let at = 0
    while (at < count) {
      const read = addon.read_frame(handle, bytes, at)
      if (read > 0) at += read
      else if (read === -EAGAIN) yield* select_read(handle)
      else return yield* Effect.die(new Error(`read: ${read}`))
    }
    return bytes
  })

describe("reading", () => {
  it.live("delivers frames as they were sent, and says when the peer hung up", () =>
    Effect.gen(function* () {
      const [kernel, server] = yield* socketpair({ type: "seqpacket" })
      const transport = yield* makeDeviceTransport(server, small)
      const collected = collector(transport, 3)
      const loop = yield* Effect.forkChild(transport.run(collected.sink))
      for (const unique of upTo(3)) addon.write_frame(kernel, frame(unique, unique * 100))
      yield* collected.complete
      assert.deepStrictEqual(collected.uniques, [1, 2, 3])
      assert.deepStrictEqual(collected.lengths, [140, 240, 340])
      yield* close(kernel)
      assert.strictEqual(yield* Fiber.join(loop), "closed")
    })
  )

  it.live("looks once more after a batch whose replies were held to its end, and only then", () =>
    Effect.gen(function* () {
      const [kernel, server] = yield* socketpair({ type: "seqpacket" })
      const transport = yield* makeDeviceTransport(server, small)
      const delivered: Array<string> = []
      const complete = Deferred.makeUnsafe<void>()
      let sameTurn = false
      let ends = 0
      const loop = yield* Effect.forkChild(
        transport.run({
          onFrame: (slot) => {
            const unique = uniqueOf(slot)
            delivered.push(`${unique}${sameTurn ? " at once" : ""}`)
            transport.release(slot)
            if (unique === 3) Deferred.doneUnsafe(complete, Exit.void)
          },
          onBatchEnd: () => {
            ends++
            if (ends > 2) return false
            // What a caller asks for who was answered just now.
            sameTurn = true
            queueMicrotask(() => (sameTurn = false))
            addon.write_frame(kernel, frame(ends + 1))
            return ends === 1
          }
        })
      )
      addon.write_frame(kernel, frame(1))
      yield* Deferred.await(complete)
      assert.deepStrictEqual(delivered, ["1", "2 at once", "3"])
      yield* close(kernel)
      assert.strictEqual(yield* Fiber.join(loop), "closed")
    })
  )

  for (const [what, open] of [
    ["a pipe", pipe_pair],
    ["a stream socket", Effect.map(socketpair(), ([one, other]) => [other, one] as const)]
  ] as const) {
    it.live(`puts the frames of ${what} together, however they come`, () =>
      Effect.gen(function* () {
        const [server, kernel] = yield* open
        const transport = yield* makeDeviceTransport(server, small)
        const collected = collector(transport, 203)
        const loop = yield* Effect.forkChild(transport.run(collected.sink))
        // A byte at a time.
        for (const byte of frame(1, 3)) {
          yield* writeAll(kernel, new Uint8Array([byte]))
          yield* Effect.yieldNow
        }
        // Two frames and a half; the other half.
        const three = Buffer.concat([frame(2), frame(3, 1000)])
        yield* writeAll(kernel, three.subarray(0, three.length - 500))
        yield* Effect.yieldNow
        yield* writeAll(kernel, three.subarray(three.length - 500))
        // More than a batch at once, the largest frames there can be among them.
        yield* writeAll(
          kernel,
          Buffer.concat(upTo(200).map((i) => frame(3 + i, i % 50 === 0 ? small.frameCapacity - 40 : i)))
        )
        yield* collected.complete
        assert.deepStrictEqual(collected.uniques, upTo(203))
        yield* close(kernel)
        assert.strictEqual(yield* Fiber.join(loop), "closed")
      })
    )
  }

  for (const length of [39, small.frameCapacity + 1, 0xffff_ffff]) {
    it.live(`a stream whose frame claims ${length} bytes cannot be told apart any more: EPROTO`, () =>
      Effect.gen(function* () {
        const [server, kernel] = yield* pipe_pair
        const transport = yield* makeDeviceTransport(server, small)
        yield* writeAll(kernel, frame(1, 0, length))
        const error = yield* Effect.flip(transport.run(collector(transport, 1).sink))
        assert.strictEqual(error._tag, "EPROTO")
        assert.include(error.message, `a frame of ${length} bytes`)
        assert.include(error.message, `to ${small.frameCapacity}`)
      })
    )
  }

  it.live("reads for a while only: the program's own events come in between", () =>
    Effect.gen(function* () {
      const [kernel, server] = yield* socketpair({ type: "seqpacket" })
      const transport = yield* makeDeviceTransport(server, small)
      for (const unique of upTo(150)) assert.strictEqual(addon.write_frame(kernel, frame(unique)), 40)
      const collected = collector(transport, 150)
      const slow: FrameSink = {
        ...collected.sink,
        onFrame: (slot) => {
          const until = performance.now() + 0.1
          while (performance.now() < until);
          collected.sink.onFrame(slot)
        }
      }
      const seenByOthers: Array<number> = []
      const watch = (): void => {
        seenByOthers.push(collected.uniques.length)
        if (collected.uniques.length < 150) setImmediate(watch)
      }
      setImmediate(watch)
      const loop = yield* Effect.forkChild(transport.run(slow))
      yield* collected.complete
      // 0.4 ms are over after four of them; it is looked at the clock after eight.
      assert.isAtMost(Math.max(...collected.batches), 8)
      assert.isAtLeast(new Set(seenByOthers).size, 15)
      yield* Fiber.interrupt(loop)
    })
  )

  it.live("goes on when it is told that no more is read, and that gives the slots back", () =>
    Effect.gen(function* () {
      const [kernel, server] = yield* socketpair({ type: "seqpacket" })
      const transport = yield* makeDeviceTransport(server, small)
      const held: Array<Slot> = []
      const uniques: Array<number> = []
      const complete = yield* Deferred.make<void>()
      const loop = yield* Effect.forkChild(
        transport.run({
          onFrame: (slot) => {
            held.push(slot)
            uniques.push(uniqueOf(slot))
            if (uniques.length === 10) Deferred.doneUnsafe(complete, Exit.void)
          },
          onBatchEnd: () => {
            for (const slot of held.splice(0)) transport.release(slot)
          }
        })
      )
      for (const unique of upTo(10)) addon.write_frame(kernel, frame(unique))
      yield* Effect.raceFirst(Deferred.await(complete), Fiber.join(loop))
      assert.deepStrictEqual(uniques, upTo(10))
      yield* Fiber.interrupt(loop)
    })
  )

  it.live("stops when no slot is free, and goes on when one is given back", () =>
    Effect.gen(function* () {
      const [kernel, server] = yield* socketpair({ type: "seqpacket" })
      const transport = yield* makeDeviceTransport(server, small)
      const held: Array<Slot> = []
      const full = yield* Deferred.make<void>()
      const more = yield* Deferred.make<void>()
      const loop = yield* Effect.forkChild(
        transport.run({
          onFrame: (slot) => {
            held.push(slot)
            if (held.length === small.slots) Deferred.doneUnsafe(full, Exit.void)
            if (held.length === small.slots + 2) Deferred.doneUnsafe(more, Exit.void)
          },
          onBatchEnd: () => {}
        })
      )
      for (const unique of upTo(10)) addon.write_frame(kernel, frame(unique))
      yield* Deferred.await(full)
      assert.strictEqual(transport.freeSlots(), 0)
      assert.deepStrictEqual(held.map(uniqueOf), [1, 2, 3, 4])
      for (const slot of held.slice(0, 2)) transport.release(slot)
      yield* Deferred.await(more)
      assert.deepStrictEqual(held.slice(4).map(uniqueOf), [5, 6])
      assert.strictEqual(transport.freeSlots(), 0)
      yield* Fiber.interrupt(loop)
    })
  )

  it.live("an interrupted loop loses nothing: the next goes on with the next frame", () =>
    Effect.gen(function* () {
      const [server, kernel] = yield* pipe_pair
      const transport = yield* makeDeviceTransport(server, small)
      yield* writeAll(kernel, Buffer.concat(upTo(40).map((unique) => frame(unique, 7))))
      const uniques: Array<number> = []
      for (let loops = 0; uniques.length < 40; loops++) {
        assert.isBelow(loops, 20, "each loop reads on")
        const stop = yield* Deferred.make<void>()
        const loop = yield* Effect.forkChild(
          transport.run({
            onFrame: (slot) => {
              uniques.push(uniqueOf(slot))
              transport.release(slot)
            },
            onBatchEnd: () => Deferred.doneUnsafe(stop, Exit.void)
          })
        )
        yield* Deferred.await(stop)
        yield* Fiber.interrupt(loop)
      }
      assert.deepStrictEqual(uniques, upTo(40))
    })
  )

  it.live("a second loop is refused, and the first goes on", () =>
    Effect.gen(function* () {
      const [kernel, server] = yield* socketpair({ type: "seqpacket" })
      const transport = yield* makeDeviceTransport(server, small)
      const collected = collector(transport, 1)
      const loop = yield* Effect.forkChild(transport.run(collected.sink))
      yield* Effect.yieldNow
      assert.strictEqual((yield* Effect.flip(transport.run(collected.sink)))._tag, "EBUSY")
      addon.write_frame(kernel, frame(1))
      yield* collected.complete
      yield* Fiber.interrupt(loop)
    })
  )

  it.live("what a sink throws ends the loop as a defect", () =>
    Effect.gen(function* () {
      const [kernel, server] = yield* socketpair({ type: "seqpacket" })
      const transport = yield* makeDeviceTransport(server, small)
      addon.write_frame(kernel, frame(1))
      const exit = yield* Effect.exit(
        transport.run({
          onFrame: () => {
            throw new Error("a defect")
          },
          onBatchEnd: () => {}
        })
      )
      assert.isTrue(Exit.isFailure(exit) && Exit.hasDies(exit))
    })
  )

  it.live("a handle closed under the loop ends it", () =>
    Effect.gen(function* () {
      const [, server] = yield* socketpair({ type: "seqpacket" })
      const transport = yield* makeDeviceTransport(server, small)
      const loop = yield* Effect.forkChild(transport.run(collector(transport, 1).sink))
      yield* Effect.yieldNow
      yield* transport.close
      assert.strictEqual(yield* Fiber.join(loop), "closed")
    })
  )

  it.live("receive takes one frame without a loop", () =>
    Effect.gen(function* () {
      const [kernel, server] = yield* socketpair({ type: "seqpacket" })
      const transport = yield* makeDeviceTransport(server, small)
      assert.isUndefined(transport.receive())
      addon.write_frame(kernel, frame(7))
      const slot = transport.receive()
      assert.isTrue(typeof slot === "object" && uniqueOf(slot) === 7)
      assert.isUndefined(transport.receive())
      yield* close(kernel)
      assert.strictEqual(transport.receive(), "closed")
    })
  )
})

describe("replying", () => {
  const outHeader = (bytes: Uint8Array) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    return { length: view.getUint32(0, true), error: view.getInt32(4, true), unique: view.getUint32(8, true) }
  }

  it.live("in the slot, with bytes from elsewhere, after detaching: one frame each", () =>
    Effect.gen(function* () {
      const [kernel, server] = yield* socketpair({ type: "seqpacket" })
      const transport = yield* makeDeviceTransport(server, small)
      const answers: ReadonlyArray<(slot: Slot) => number> = [
        (slot) => {
          slot.bytes.set(Buffer.from("body"), slot.body)
          return transport.reply(slot, 0, 4)
        },
        (slot) => transport.reply(slot, -2, 0),
        (slot) => transport.replyData(slot, [Buffer.from("bo"), Buffer.from("dy")]),
        (slot) =>
          transport.replyData(
            slot,
            Array.from({ length: 100 }, () => Buffer.from("x"))
          ),
        (slot) => transport.replyDetached(transport.detach(slot), 0, [Buffer.from("late")]),
        (slot) => transport.replyDetached(transport.detach(slot), -5, [Buffer.from("dropped")])
      ]
      const into = new Uint8Array(4096)
      const got: Array<unknown> = []
      for (const [i, answer] of answers.entries()) {
        addon.write_frame(kernel, frame(i + 1))
        const slot = transport.receive()
        if (typeof slot !== "object") throw new Error("no frame")
        assert.strictEqual(answer(slot), 0)
        const length = addon.read_frame(kernel, into)
        got.push({ ...outHeader(into), body: Buffer.from(into.subarray(16, length)).toString() })
      }
      assert.strictEqual(transport.freeSlots(), small.slots)
      assert.deepStrictEqual(got, [
        { length: 20, error: 0, unique: 1, body: "body" },
        { length: 16, error: -2, unique: 2, body: "" },
        { length: 20, error: 0, unique: 3, body: "body" },
        { length: 116, error: 0, unique: 4, body: "x".repeat(100) },
        { length: 20, error: 0, unique: 5, body: "late" },
        { length: 16, error: -5, unique: 6, body: "" }
      ])
    })
  )

  it.live("data of large WRITEs in lent memory: each array is one request's until its slot is given back", () =>
    Effect.gen(function* () {
      const [kernel, server] = yield* socketpair({ type: "seqpacket" })
      const transport = yield* makeDeviceTransport(server, small)
      const size = 100
      let mine = new Uint8Array(size)
      transport.lendMemory(() => mine)
      const write = (unique: number, length = size): void => {
        const bytes = frame(unique, 40 + length)
        bytes[4] = 16
        addon.write_frame(kernel, bytes)
      }
      const receive = (): Slot => {
        const slot = transport.receive()
        if (typeof slot !== "object") throw new Error("no frame")
        return slot
      }
      /** What a request's data is, wherever it lies. */
      const dataOf = (slot: Slot): Uint8Array => slot.apart ?? slot.bytes.subarray(slot.payload + 40, slot.end)
      const expect = (slot: Slot, unique: number, apart: boolean, length = size): Slot => {
        assert.strictEqual(uniqueOf(slot), unique)
        assert.strictEqual(slot.apart !== undefined, apart, `request ${unique}`)
        assert.deepStrictEqual(dataOf(slot), new Uint8Array(length).fill(unique))
        return slot
      }
      for (let unique = 1; unique <= 8; unique++) write(unique)
      transport.release(expect(receive(), 1, false))
      const kept = expect(receive(), 2, true)
      assert.strictEqual(kept.apart, mine, "the very array")
      const third = expect(receive(), 3, false)
      assert.deepStrictEqual(dataOf(kept), new Uint8Array(size).fill(2), "not while it is another's")
      transport.release(kept)
      transport.release(expect(receive(), 4, true))
      const fifth = expect(receive(), 5, true)
      const own = mine
      mine = new Uint8Array(size)
      assert.deepStrictEqual(transport.takePayload(fifth, 80, size), new Uint8Array(size).fill(5))
      transport.release(fifth)
      transport.release(expect(receive(), 6, true))
      assert.deepStrictEqual(own, new Uint8Array(size).fill(5), "what was kept stays")
      transport.release(third)
      transport.lendMemory(undefined)
      transport.release(expect(receive(), 7, false))
      transport.release(expect(receive(), 8, false))
      transport.lendMemory(() => mine)
      for (let unique = 11; unique <= 15; unique++) write(unique, unique === 13 ? size - 1 : size)
      for (const [unique, apart] of [
        [11, false],
        [12, true],
        [13, false],
        [14, false],
        [15, true]
      ] as const) {
        transport.release(expect(receive(), unique, apart, unique === 13 ? size - 1 : size))
      }
      assert.strictEqual(transport.freeSlots(), small.slots)
    })
  )

  it.live(
    "transports share slots: each has as many as it may at once, and what lies apart for one does not for the next",
    () =>
      Effect.gen(function* () {
        const [oneKernel, oneServer] = yield* socketpair({ type: "seqpacket" })
        const [otherKernel, otherServer] = yield* socketpair({ type: "seqpacket" })
        const one = yield* makeDeviceTransport(oneServer, small)
        const other = yield* makeDeviceTransport(otherServer, small)
        const size = 100
        const write = (kernel: FuseHandle, unique: number): void => {
          const bytes = frame(unique, 40 + size)
          bytes[4] = 16
          addon.write_frame(kernel, bytes)
        }
        const receive = (transport: FrameTransport): Slot => {
          const slot = transport.receive()
          if (typeof slot !== "object") throw new Error("no frame")
          return slot
        }
        one.lendMemory(() => new Uint8Array(size))
        for (const unique of [1, 2]) write(oneKernel, unique)
        one.release(receive(one))
        const apart = receive(one)
        assert.isDefined(apart.apart)
        one.release(apart)
        write(otherKernel, 3)
        const next = receive(other)
        assert.strictEqual(next, apart, "the slot used last")
        assert.isUndefined(next.apart)
        assert.deepStrictEqual(next.bytes.subarray(next.payload + 40, next.end), new Uint8Array(size).fill(3))
        // With all that the other may have in use, the first has as many as before.
        for (const unique of [4, 5, 6, 7]) write(otherKernel, unique)
        const held = [next, receive(other), receive(other), receive(other)]
        assert.isUndefined(other.receive())
        for (const unique of [8, 9, 10, 11]) write(oneKernel, unique)
        held.push(receive(one), receive(one), receive(one), receive(one))
        assert.strictEqual(new Set(held).size, 2 * small.slots)
        assert.deepStrictEqual(held.map(uniqueOf), [3, 4, 5, 6, 8, 9, 10, 11])
        for (const [at, slot] of held.entries()) (at < small.slots ? other : one).release(slot)
        assert.deepStrictEqual([one.freeSlots(), other.freeSlots()], [small.slots, small.slots])
      })
  )

  it.live("a slot that is given back twice is a defect, not a second reply", () =>
    Effect.gen(function* () {
      const [kernel, server] = yield* socketpair({ type: "seqpacket" })
      const transport = yield* makeDeviceTransport(server, small)
      addon.write_frame(kernel, frame(1))
      const slot = transport.receive()
      if (typeof slot !== "object") throw new Error("no frame")
      transport.release(slot)
      assert.throws(() => transport.release(slot), /twice/)
      assert.strictEqual(transport.freeSlots(), small.slots)
    })
  )

  it.live("a stream that is full takes the replies later, whole and in order", () =>
    Effect.gen(function* () {
      const [requests, kernel] = yield* pipe_pair
      const [replies, write] = yield* pipe_pair
      const transport = yield* makeDeviceTransport(requests, { ...small, write })
      const body = new Uint8Array(3000)
      const count = 100
      const loop = yield* Effect.forkChild(
        transport.run({
          onFrame: (slot) => void transport.replyData(slot, [body.fill(uniqueOf(slot))]),
          onBatchEnd: () => {}
        })
      )
      yield* writeAll(kernel, Buffer.concat(upTo(count).map((unique) => frame(unique))))
      const bytes = yield* readAll(replies, count * 3016)
      for (const unique of upTo(count)) {
        const reply = bytes.subarray((unique - 1) * 3016, unique * 3016)
        assert.deepStrictEqual(outHeader(reply), { length: 3016, error: 0, unique })
        assert.isTrue(reply.subarray(16).every((byte) => byte === unique))
      }
      yield* Fiber.interrupt(loop)
    })
  )

  it.live("a socket whose buffer is full takes the messages later, whole and in order", () =>
    Effect.gen(function* () {
      const [kernel, server] = yield* socketpair({ type: "seqpacket" })
      const transport = yield* makeDeviceTransport(server, small)
      const count = 300
      for (const unique of upTo(count)) {
        assert.strictEqual(
          transport.replyDetached({ uniqueLow: unique, uniqueHigh: 0 }, 0, [new Uint8Array(4000).fill(unique)]),
          0
        )
      }
      const into = new Uint8Array(8192)
      for (const unique of upTo(count)) {
        let length = addon.read_frame(kernel, into)
        while (length === -EAGAIN) {
          yield* select_read(kernel)
          length = addon.read_frame(kernel, into)
        }
        assert.strictEqual(length, 4016)
        assert.deepStrictEqual(outHeader(into), { length: 4016, error: 0, unique })
        assert.strictEqual(into[4015], unique & 0xff)
      }
    })
  )
})
