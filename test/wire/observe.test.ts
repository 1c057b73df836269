/** Metrics, the wire log and spans of a live session. */
import { assert, describe, it } from "@effect/vitest"
import { type Backend, Errno, metrics, wireLog } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"

const read = {
  op: "read",
  nodeid: 2,
  fh: 0,
  offset: 0,
  size: 4096,
  readFlags: 0,
  lockOwner: 0x8000_0000_0000_0001n,
  flags: 0
} as const
const backend: Backend = {
  lookup: () => Errno.ENOENT,
  read: () => Effect.as(Effect.yieldNow, Buffer.from("hello")),
  write: ({ size }) => Exit.succeed(size)
}

describe("observing", () => {
  it.live("what is in flight is seen though nothing is answered", () =>
    Effect.gen(function* () {
      const answer = yield* Deferred.make<void>()
      const { kernel, session } = yield* FakeKernel.serve({
        read: () => Effect.as(Deferred.await(answer), Buffer.from("hello"))
      })
      yield* kernel.init()
      yield* metrics(session, { mount: session.connection.id })
      const unique = yield* kernel.send(read)
      const inFlight = Effect.map(Metric.snapshot, (all) =>
        all.find(
          (metric) => metric.id === "fuse_requests_in_flight" && metric.attributes?.["mount"] === session.connection.id
        )
      )
      yield* Effect.repeat(Effect.andThen(Effect.sleep(10), inFlight), {
        until: (metric) => metric?.type === "Gauge" && metric.state.value === 1
      })
      yield* Deferred.succeed(answer, undefined)
      assert.strictEqual((yield* kernel.reply(unique)).error, 0)
    })
  )

  it.live("an observer that throws costs no call, and no other observer, anything", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve(backend)
      yield* kernel.init()
      const lines: Array<string> = []
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* wireLog(session.connection, () => {
            throw new Error("the disk is full")
          })
          yield* wireLog(session.connection, (line) => lines.push(line))
          assert.strictEqual((yield* Effect.flip(kernel.call({ op: "lookup", name: "absent" })))._tag, "ENOENT")
          assert.deepStrictEqual(yield* kernel.call(read), new Uint8Array(Buffer.from("hello")))
        })
      )
      assert.lengthOf(lines, 4)
      assert.deepStrictEqual(kernel.unexpected(), [])
    })
  )

  it.live("the wire log has a line for each request and reply while its scope lasts", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve(backend)
      yield* kernel.init()
      const lines: Array<string> = []
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* wireLog(session.connection, (line) => lines.push(line))
          yield* Effect.flip(kernel.call({ op: "lookup", name: Buffer.from([0x61, 0xff]) }))
          yield* kernel.call(read)
        })
      )
      yield* kernel.call(read)
      const logged = lines.map((line): unknown => JSON.parse(line))
      assert.strictEqual(logged.length, 4)
      assert.deepInclude(logged[0], {
        type: "request",
        unique: "4",
        opcode: "LOOKUP",
        nodeid: "1",
        name: "bytes:a\xff"
      })
      assert.deepInclude(logged[1], { type: "reply", unique: "4", opcode: "LOOKUP", error: "ENOENT" })
      assert.deepInclude(logged[2], {
        type: "request",
        opcode: "READ",
        nodeid: "2",
        size: 4096,
        lockOwner: "9223372036854775809"
      })
      assert.deepInclude(logged[3], { type: "reply", opcode: "READ", bytes: 5 })
      const pretty: Array<string> = []
      yield* Effect.scoped(
        Effect.andThen(
          wireLog(session.connection, (line) => pretty.push(line), { format: "pretty" }),
          kernel.call(read)
        )
      )
      assert.match(pretty[0] ?? "", /^\S+ -> \d+ READ node=2 uid=0 pid=\d+ fh=0 offset=0 size=4096/)
      assert.match(pretty[1] ?? "", /^\S+ <- \d+ READ node=2 bytes=5 microseconds=\d+$/)
    })
  )

  it.live("the wire log quotes names that a terminal would act upon, or that would forge a line", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve(backend)
      yield* kernel.init()
      const name = "x\u001b]0;OWNED\u0007\u009b31m\u202e\nlevel=ERROR y"
      for (const format of ["pretty", "json"] as const) {
        const lines: Array<string> = []
        const look = Effect.flip(kernel.call({ op: "lookup", name }))
        yield* Effect.scoped(
          Effect.andThen(
            wireLog(session.connection, (line) => lines.push(line), { format }),
            look
          )
        )
        assert.strictEqual(lines.length, 2)
        assert.notMatch(lines.join(""), /\p{C}/u)
        assert.include(lines[0], String.raw`"x\u001b]0;OWNED\u0007\u009b31m\u202e\nlevel=ERROR y"`)
      }
    })
  )

  it.live("metrics count by opcode and outcome while somebody wants them", () =>
    Effect.gen(function* () {
      const { kernel, session } = yield* FakeKernel.serve(backend)
      yield* kernel.init()
      const mount = `test-${session.connection.id}`
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* metrics(session, { mount })
          for (let i = 0; i < 3; i++) yield* Effect.flip(kernel.call({ op: "lookup", name: "a" }))
          yield* kernel.call(read)
          yield* kernel.call({
            op: "write",
            nodeid: 2,
            fh: 0,
            offset: 0,
            size: 3,
            writeFlags: 0,
            lockOwner: 0,
            flags: 0,
            data: Buffer.from("abc")
          })
          assert.isTrue(session.supervisor.kill("dispatcher"))
          yield* kernel.call(read)
          const restarted = Effect.map(Metric.snapshot, (all) =>
            all.some(({ attributes, id }) => id === "fuse_restarts_total" && attributes?.["mount"] === mount)
          )
          yield* Effect.repeat(restarted, { until: (there) => there })
        })
      )
      const ours = (yield* Metric.snapshot).filter(({ attributes }) => attributes?.["mount"] === mount)
      const find = (id: string, more: { readonly [key: string]: string } = {}): unknown =>
        ours.find(
          (one) => one.id === id && Object.entries(more).every(([key, value]) => one.attributes?.[key] === value)
        )?.state
      assert.deepInclude(find("fuse_requests_total", { opcode: "LOOKUP", outcome: "ENOENT" }), { count: 3 })
      assert.deepInclude(find("fuse_requests_total", { opcode: "READ", outcome: "ok" }), { count: 2 })
      assert.deepInclude(find("fuse_request_seconds", { opcode: "READ" }), { count: 2 })
      assert.deepInclude(find("fuse_received_bytes_total"), { count: 3 })
      assert.deepInclude(find("fuse_restarts_total", { part: "dispatcher" }), { count: 1 })
    })
  )

  it.live("operations have spans where there is a tracer", () =>
    Effect.gen(function* () {
      const spans: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          spans.push(options.name)
          return new Tracer.NativeSpan(options)
        }
      })
      const { kernel } = yield* Effect.provideService(FakeKernel.serve(backend), Tracer.Tracer, tracer)
      yield* kernel.init()
      yield* kernel.call(read)
      assert.include(spans, "fuse.read")
    })
  )
})
