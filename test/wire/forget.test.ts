/** FORGET's counts: a backend that counts its entries comes out at zero. */
import { assert, describe, it } from "@effect/vitest"
import type { Backend } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { file, hello } from "./hello.ts"

/** Counts as libfuse's filesystems do: one up for each entry answered, down by what `forget` says. */
const counting = (more: Partial<Backend> = {}) => {
  const told: Array<readonly [nodeid: number | bigint, nlookup: number, left: number]> = []
  let count = 0
  const entry = () => {
    count++
    return Exit.succeed(file)
  }
  const backend = hello({
    lookup: entry,
    link: entry,
    mkdir: entry,
    forget: (nodeid, nlookup, left) => {
      told.push([nodeid, nlookup, left])
      count -= nlookup
    },
    ...more
  })
  return { backend, told, count: () => count, entry }
}

const settled = (kernel: FakeKernel.FakeKernel) => kernel.call({ op: "getattr", getattrFlags: 0, fh: 0 })

describe("FORGET", () => {
  it.live("tells what the kernel gave back, each time", () =>
    Effect.gen(function* () {
      const { backend, count, told } = counting()
      const { kernel } = yield* FakeKernel.serve(backend)
      yield* kernel.init()
      for (let n = 0; n < 5; n++) yield* kernel.call({ op: "lookup", name: "hello" })
      yield* kernel.forget(2, 2)
      yield* kernel.forget(2, 3)
      yield* settled(kernel)
      assert.deepStrictEqual(told, [
        [2, 2, 3],
        [2, 3, 0]
      ])
      assert.strictEqual(count(), 0)
    })
  )

  it.live("of several nodes at once is told one by one", () =>
    Effect.gen(function* () {
      const { backend, count, told } = counting()
      const { kernel } = yield* FakeKernel.serve(backend)
      yield* kernel.init()
      for (let n = 0; n < 3; n++) yield* kernel.call({ op: "link", oldnodeid: 2, newname: `link${n}` })
      yield* kernel.send({
        op: "batchForget",
        nodeid: 0,
        forgets: [
          { nodeid: 2, nlookup: 1 },
          { nodeid: 7, nlookup: 1 },
          { nodeid: 2, nlookup: 1 }
        ]
      })
      yield* settled(kernel)
      assert.deepStrictEqual(told, [
        [2, 1, 2],
        [2, 1, 1]
      ])
      assert.strictEqual(count(), 1)
    })
  )

  it.live("is made up for at the end of the connection", () =>
    Effect.gen(function* () {
      const { backend, count, told } = counting()
      const { kernel, session } = yield* FakeKernel.serve(backend)
      yield* kernel.init()
      for (let n = 0; n < 4; n++) yield* kernel.call({ op: "mkdir", name: "d", mode: 0o755, umask: 0 })
      yield* kernel.forget(2, 1)
      yield* kernel.close
      yield* session.awaitEnd
      assert.deepStrictEqual(told, [
        [2, 1, 3],
        [2, 3, 0]
      ])
      assert.strictEqual(count(), 0)
    })
  )

  it.live(
    "is made up for when an answer comes after the deadline: the caller has its error, the backend nothing left over",
    () =>
      Effect.gen(function* () {
        const go = yield* Deferred.make<void>()
        const counter = counting()
        const released: Array<number | bigint> = []
        const { kernel, session } = yield* FakeKernel.serve(
          {
            ...counter.backend,
            mkdir: async () => {
              await Effect.runPromise(Deferred.await(go))
              return Effect.runSync(counter.entry())
            },
            open: async () => {
              await Effect.runPromise(Deferred.await(go))
              return { fh: 7, openFlags: 0 }
            },
            release: async ({ fh }) => {
              released.push(fh)
            }
          },
          { deadline: { after: 1, errno: 110 } }
        )
        yield* kernel.init()
        const late = yield* kernel.send({ op: "mkdir", name: "d", mode: 0o755, umask: 0 })
        const opening = yield* kernel.send({ op: "open", nodeid: 2, flags: 0, openFlags: 0 })
        assert.strictEqual((yield* kernel.reply(late)).error, 110)
        assert.strictEqual((yield* kernel.reply(opening)).error, 110)
        yield* Deferred.succeed(go, undefined)
        yield* Effect.repeat(Effect.yieldNow, { until: () => counter.told.length > 0 && released.length > 0 })
        assert.strictEqual(session.connection.inFlight.size, 0)
        assert.deepStrictEqual(released, [7])
        assert.deepStrictEqual(counter.told, [[2, 1, 0]])
        assert.strictEqual(counter.count(), 0)
      })
  )
})
