/** Durable backends: replies wait for the commit, requests that are ready together share one. */
import { assert, describe, it } from "@effect/vitest"
import { type Backend, Errno, errnoError } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

const write = (text: string) =>
  ({
    op: "write",
    nodeid: 2,
    fh: 0,
    offset: 0,
    size: text.length,
    writeFlags: 0,
    lockOwner: 0,
    flags: 0,
    data: Buffer.from(text)
  }) as const

/** A log of records in two stages: written, and committed. */
const makeLog = (
  commitGate: (attempt: number, records: ReadonlyArray<string>) => Effect.Effect<void, ReturnType<typeof errnoError>>
) => {
  let open: Array<string> = []
  const committed: Array<ReadonlyArray<string>> = []
  const delivered: Array<number | bigint> = []
  const runs: Array<{ readonly text: string; readonly resent: boolean }> = []
  let commits = 0
  const backend: Backend = {
    durable: true,
    write: ({ data }, { resent }) => {
      const text = Buffer.from(data).toString()
      runs.push({ text, resent })
      if (text === "refused") return Errno.EDQUOT
      open.push(text)
      return Exit.succeed(data.length)
    },
    commit: Effect.suspend(() => {
      const records = open
      open = []
      return Effect.map(commitGate(++commits, records), () => {
        if (records.length > 0) committed.push(records)
      })
    }),
    delivered: (uniques) => {
      delivered.push(...uniques)
    }
  }
  return { backend, committed, delivered, runs }
}

describe("group commit, over a socketpair", () => {
  it.live("requests that are ready together share a commit, and are answered after it", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const log = makeLog((attempt) => (attempt === 1 ? Deferred.await(gate) : Effect.void))
      const { kernel, session } = yield* FakeKernel.serve(log.backend)
      yield* kernel.init()
      const first = yield* kernel.send(write("a"))
      yield* Effect.repeat(Effect.yieldNow, { until: () => log.runs.length === 1 })
      const others = yield* Effect.forEach(["b", "c", "refused"], (text) => kernel.send(write(text)))
      yield* Effect.repeat(Effect.yieldNow, { until: () => log.runs.length === 4 })
      assert.strictEqual(session.connection.inFlight.size, 4, "nothing is answered while the commit is under way")
      yield* Deferred.succeed(gate, undefined)
      const replies = yield* Effect.forEach([first, ...others], kernel.reply)
      assert.deepStrictEqual(
        replies.map(({ error }) => error),
        [0, 0, 0, 122]
      )
      assert.deepStrictEqual(log.committed, [["a"], ["b", "c"]])
      assert.deepStrictEqual(log.delivered, [first, ...others])
      assert.strictEqual(session.connection.inFlight.size, 0)
      assert.deepStrictEqual(kernel.unexpected(), [])
    })
  )

  it.live("when a commit fails, its requests are run again alone: only the one at fault has the error", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const log = makeLog((attempt, records) =>
        attempt === 1 ? Deferred.await(gate) : records.includes("too big") ? Effect.fail(errnoError(28)) : Effect.void
      )
      const { kernel } = yield* FakeKernel.serve(log.backend)
      yield* kernel.init()
      const first = yield* kernel.send(write("a"))
      yield* Effect.repeat(Effect.yieldNow, { until: () => log.runs.length === 1 })
      const others = yield* Effect.forEach(["b", "too big", "c"], (text) => kernel.send(write(text)))
      yield* Effect.repeat(Effect.yieldNow, { until: () => log.runs.length === 4 })
      yield* Deferred.succeed(gate, undefined)
      const replies = yield* Effect.forEach([first, ...others], kernel.reply)
      assert.deepStrictEqual(
        replies.map(({ error }) => error),
        [0, 0, 28, 0]
      )
      assert.deepStrictEqual(log.committed, [["a"], ["b"], ["c"]])
      assert.deepStrictEqual(
        log.runs.filter(({ text }) => text === "b").map(({ resent }) => resent),
        [false, true]
      )
    })
  )

  it.live("what a dispatcher left uncommitted its successor runs again, and answers once", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const log = makeLog((attempt) => (attempt === 1 ? Deferred.await(gate) : Effect.void))
      const { kernel, session } = yield* FakeKernel.serve(log.backend)
      yield* kernel.init()
      const unique = yield* kernel.send(write("a"))
      yield* Effect.repeat(Effect.yieldNow, { until: () => log.runs.length === 1 })
      assert.isTrue(session.supervisor.kill("dispatcher"))
      assert.strictEqual((yield* kernel.reply(unique)).error, 0)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* kernel.call(write("b")), 1)
      assert.deepStrictEqual(
        log.runs.map(({ resent }) => resent),
        [false, true, false]
      )
      assert.deepStrictEqual(kernel.unexpected(), [])
    })
  )

  it.live("a call that suspends is committed too before its reply", () =>
    Effect.gen(function* () {
      const go = yield* Deferred.make<void>()
      const order: Array<string> = []
      const { kernel } = yield* FakeKernel.serve({
        durable: true,
        write: ({ size }) =>
          Effect.as(
            Effect.tap(Deferred.await(go), () => Effect.sync(() => order.push("run"))),
            size
          ),
        commit: Effect.sync(() => {
          order.push("commit")
        }),
        delivered: () => {
          order.push("delivered")
        }
      })
      yield* kernel.init()
      const call = yield* Effect.forkChild(kernel.call(write("abc")))
      yield* Effect.yieldNow
      yield* Deferred.succeed(go, undefined)
      assert.strictEqual(yield* Fiber.join(call), 3)
      assert.deepStrictEqual(order.slice(-3), ["run", "commit", "delivered"])
    })
  )
})
