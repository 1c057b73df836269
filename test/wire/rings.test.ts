/** What is of io_uring alone: when it is agreed on, and what follows when it cannot be had after all. */
import { assert, describe, it } from "@effect/vitest"
import { Errno, observe, servedByIsolates } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import { hello } from "./hello.ts"

const lookup = { op: "lookup", name: "hello" } as const

describe("FUSE_OVER_IO_URING", () => {
  it.live("is agreed on, and requests come by the ring", () =>
    Effect.gen(function* () {
      const { kernel, rung, session } = yield* FakeKernel.serveOverRing(hello())
      yield* kernel.init()
      assert.isTrue((yield* session.negotiated).overIoUring)
      yield* kernel.call(lookup)
      assert.strictEqual(rung(), 1)
    })
  )

  it.live("is not agreed on with a kernel before 7.42, which serves by its device", () =>
    Effect.gen(function* () {
      const { kernel, rung, session } = yield* FakeKernel.serveOverRing(hello())
      yield* kernel.init({ minor: 41, flags2: 0x1ff })
      assert.isFalse((yield* session.negotiated).overIoUring)
      // The entries were never registered, so nothing comes by them.
      yield* kernel.call(lookup)
      assert.strictEqual(rung(), 0)
    })
  )

  it.live("is taken back when the kernel refuses the entries", () => {
    const said: Array<unknown> = []
    const logger = Logger.make(({ message }) => void said.push(message))
    return Effect.gen(function* () {
      const { kernel, rung, session } = yield* FakeKernel.serveOverRing(hello(), {}, { refusesWith: 12 })
      yield* kernel.init()
      yield* kernel.call(lookup)
      assert.strictEqual(rung(), 0)
      assert.isFalse(session.connection.negotiated?.overIoUring)
      assert.match(String(said), /io_uring: ENOMEM; .*\/dev\/fuse/)
    }).pipe(Effect.provide(Logger.layer([logger])))
  })

  for (const [what, minor, told] of [
    ["with a kernel before 7.42", 41, /does not offer FUSE_OVER_IO_URING/],
    ["when an isolate cannot start", 45, /io_uring: .*\/dev\/fuse instead/]
  ] as const) {
    it.live(`leaves several isolates to the device ${what}`, () => {
      const said: Array<unknown> = []
      const logger = Logger.make(({ message }) => void said.push(message))
      return Effect.gen(function* () {
        const backend = servedByIsolates(hello(), { module: "file:///there/is/none.ts", data: undefined })
        const isolates = { threads: "auto", mountpoint: "/nowhere", device: "0:0" } as const
        const { kernel, rung, session } = yield* FakeKernel.serveOverRing(backend, { isolates })
        yield* kernel.init({ minor, ...(minor < 42 ? { flags2: 0x1ff } : {}) })
        yield* kernel.call(lookup)
        yield* Effect.repeat(Effect.sleep("1 millis"), {
          until: () => session.connection.negotiated?.overIoUring === false
        })
        assert.strictEqual(rung(), 0)
        assert.match(String(said), told)
        // All are told: this thread serves.
        said.length = 0
        yield* observe(session.connection, { received: () => {}, replied: () => {} })
        assert.deepStrictEqual(said, [])
      }).pipe(Effect.scoped, Effect.provide(Logger.layer([logger])))
    })
  }

  it.live("is not agreed on where a later process may go on", () =>
    Effect.gen(function* () {
      const { kernel, rung, session } = yield* FakeKernel.serveOverRing(hello(), { onNegotiated: () => Effect.void })
      yield* kernel.init()
      yield* kernel.call(lookup)
      assert.deepStrictEqual([rung(), (yield* session.negotiated).overIoUring], [0, false])
    })
  )
})

it.live("a request waits for an entry, and is served when one is given back", () =>
  Effect.gen(function* () {
    const answer = yield* Deferred.make<void>()
    let begun = 0
    const backend = hello({
      lookup: () =>
        Effect.andThen(
          Effect.sync(() => begun++),
          Effect.andThen(Deferred.await(answer), Errno.ENOENT)
        )
    })
    const { kernel } = yield* FakeKernel.serveOverRing(backend, {}, { entries: 2 })
    yield* kernel.init()
    const sent = yield* Effect.all([kernel.send(lookup), kernel.send(lookup), kernel.send(lookup)])
    yield* Effect.repeat(Effect.sleep("1 millis"), { until: () => begun === 2 })
    yield* Deferred.succeed(answer, undefined)
    for (const unique of sent) assert.strictEqual((yield* kernel.reply(unique)).error, 2)
    assert.strictEqual(begun, 3)
  })
)

it.live("an ioctl's answer may be made of its own data, in any order", () =>
  Effect.gen(function* () {
    const { kernel } = yield* FakeKernel.serveOverRing({
      ioctl: ({ data }) => Exit.succeed({ result: 7, data: [data.subarray(8), data.subarray(0, 8)] })
    })
    yield* kernel.init()
    const data = Uint8Array.from({ length: 32 }, (_, at) => at)
    const reply = yield* kernel.call({
      op: "ioctl",
      nodeid: 2,
      fh: 0,
      flags: 0,
      cmd: 1,
      arg: 0,
      inSize: 32,
      outSize: 32,
      data
    })
    assert.deepStrictEqual(reply, { result: 7, data: Buffer.concat([data.subarray(8), data.subarray(0, 8)]) })
  })
)
