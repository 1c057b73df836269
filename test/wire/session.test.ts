/** A session driven end to end by a test that plays the kernel. */
import { assert, describe, it } from "@effect/vitest"
import { FakeKernel } from "@bickford/session/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { file, hello } from "./hello.ts"

const decode = (data: Uint8Array | ReadonlyArray<Uint8Array>): string =>
  Buffer.concat(data instanceof Uint8Array ? [data] : data).toString()

describe("a session over a socketpair", () => {
  it.live("answers INIT, then serves", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve(hello())
      const init = yield* kernel.init()
      assert.strictEqual(init.major, 7)
      assert.strictEqual((yield* session.negotiated).major, 7)
      const entry = yield* kernel.call({ op: "lookup", name: "hello" })
      assert.deepStrictEqual(entry, file)
      assert.strictEqual(
        decode(
          yield* kernel.call({
            op: "read",
            nodeid: 2,
            fh: 0,
            offset: 0,
            size: 4096,
            readFlags: 0,
            lockOwner: 0,
            flags: 0
          })
        ),
        "hello"
      )
      assert.strictEqual((yield* Effect.flip(kernel.call({ op: "lookup", name: "absent" })))._tag, "ENOENT")
      assert.strictEqual((yield* Effect.flip(kernel.call({ op: "readlink", nodeid: 2 })))._tag, "ENOSYS")
      assert.deepStrictEqual(kernel.unexpected(), [])
    })
  )

  it.live(
    "a frame cut before the end of its header gets no reply, whatever opcode it has: it would be taken for a notification",
    () =>
      Effect.gen(function* () {
        const { kernel, session } = yield* FakeKernel.serve(hello())
        yield* kernel.init()
        for (const opcode of [1, 4000]) {
          for (const length of [1, 8, 15, 39]) {
            const frame = new Uint8Array(length)
            if (length >= 8) new DataView(frame.buffer).setUint32(4, opcode, true)
            yield* kernel.sendRaw(frame)
          }
        }
        yield* kernel.call({ op: "getattr", getattrFlags: 0, fh: 0 })
        assert.deepStrictEqual([kernel.unexpected().length, session.connection.counters.malformed], [0, 8])
      })
  )

  it.live("counts lookups, and tells the backend when the kernel has let go of a node", () =>
    Effect.gen(function* () {
      const forgotten = yield* Deferred.make<number | bigint>()
      const { kernel, session } = yield* FakeKernel.serve(
        hello({
          forget: (nodeid, _nlookup, left) => {
            if (left === 0) Deferred.doneUnsafe(forgotten, Effect.succeed(nodeid))
          }
        })
      )
      yield* kernel.init()
      yield* kernel.call({ op: "lookup", name: "hello" })
      yield* kernel.call({ op: "lookup", name: "hello" })
      assert.strictEqual(session.connection.nodes.count(2), 2)
      yield* kernel.forget(2, 1)
      yield* kernel.call({ op: "getattr", getattrFlags: 0, fh: 0 })
      assert.strictEqual(session.connection.nodes.count(2), 1)
      yield* kernel.forget(2, 1)
      assert.strictEqual(yield* Deferred.await(forgotten), 2)
      assert.strictEqual(session.connection.nodes.size, 0)
    })
  )

  it.live("slow writes hold neither each other nor later requests up, however many there are", () =>
    Effect.gen(function* () {
      const go = yield* Deferred.make<void>()
      const seen: Array<string> = []
      const { kernel, session } = yield* FakeKernel.serve(
        hello({
          write: (request) =>
            Effect.andThen(
              Deferred.await(go),
              Effect.sync(() => {
                seen.push(Buffer.from(request.data).toString())
                return request.data.length
              })
            )
        })
      )
      yield* kernel.init()
      const uniques: Array<number | bigint> = []
      for (let index = 0; index < 40; index++) {
        const data = Buffer.from(`write ${index}`)
        uniques.push(
          yield* kernel.send({
            op: "write",
            nodeid: 2,
            fh: 0,
            offset: 0,
            size: data.length,
            writeFlags: 0,
            lockOwner: 0,
            flags: 0,
            data
          })
        )
      }
      yield* kernel.call({ op: "lookup", name: "hello" })
      assert.strictEqual(session.connection.inFlight.size, 40)
      yield* Deferred.succeed(go, undefined)
      for (const unique of uniques) assert.strictEqual((yield* kernel.reply(unique)).error, 0)
      assert.deepStrictEqual(
        seen,
        Array.from({ length: 40 }, (_, index) => `write ${index}`)
      )
    })
  )

  it.live("a malformed frame is answered EIO, and serving goes on", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve(hello())
      yield* kernel.init()
      const frame = new Uint8Array(44)
      const view = new DataView(frame.buffer)
      view.setUint32(0, 44, true)
      view.setUint32(4, 15, true)
      view.setUint32(8, 1000, true)
      yield* kernel.sendRaw(frame)
      yield* kernel.call({ op: "lookup", name: "hello" })
      assert.strictEqual(session.connection.counters.malformed, 1)
      assert.deepStrictEqual(
        kernel.unexpected().map((reply) => reply.error),
        [5]
      )
    })
  )
})
