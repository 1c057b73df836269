/** INTERRUPTs that race with replies. */
import { assert, describe, it } from "@effect/vitest"
import type { Backend } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { inspect } from "node:util"
import { attr, file } from "./hello.ts"

const until = (condition: () => boolean) => Effect.repeat(Effect.yieldNow, { until: condition })
/** No process has it: Linux has none beyond 2^22. */
const gone = 2 ** 22 + 1

it.live("10,000 interrupts at random moments: each request is answered once, and none is stuck", () =>
  Effect.gen(function* () {
    const [seed = 0] = fc.sample(fc.integer(), 1)
    const random = fc.sample(fc.integer({ min: 0, max: 7 }), { seed, numRuns: 20_000 })
    let next = 0
    const draw = (): number => random[next++ % random.length] ?? 0
    let begun = 0
    let ended = 0
    const { kernel, session } = yield* FakeKernel.serve({
      interruptible: ["read"],
      read: () => {
        const turns = draw()
        if (turns === 0) return Effect.succeed(new Uint8Array(1))
        begun++
        return Effect.yieldNow.pipe(
          Effect.repeat({ times: turns }),
          Effect.as(new Uint8Array(1)),
          Effect.ensuring(Effect.sync(() => ended++))
        )
      }
    })
    yield* kernel.init()
    const answers = new Map<number, number>()
    for (let round = 0; round < 1000; round++) {
      const uniques: Array<number | bigint> = []
      for (let i = 0; i < 10; i++) {
        uniques.push(
          yield* kernel.send({
            op: "read",
            nodeid: 2,
            fh: 0,
            offset: 0,
            size: 4096,
            readFlags: 0,
            lockOwner: 0,
            flags: 0
          })
        )
        for (let turns = draw(); turns > 0; turns--) yield* Effect.yieldNow
        const target = uniques[draw() % uniques.length]
        if (target !== undefined) yield* kernel.interrupt(target)
      }
      for (const unique of uniques) {
        const { error } = yield* kernel.reply(unique)
        answers.set(error, (answers.get(error) ?? 0) + 1)
      }
    }
    assert.deepStrictEqual(
      [...answers.keys()].sort((a, b) => a - b),
      [0, 4],
      `seed ${seed}`
    )
    assert.strictEqual((answers.get(0) ?? 0) + (answers.get(4) ?? 0), 10_000)
    assert.strictEqual(ended, begun)
    assert.strictEqual(session.connection.inFlight.size, 0)
    assert.deepStrictEqual(kernel.unexpected(), [])
  })
)

it.live("a backend says which operations a signal stops", () =>
  Effect.gen(function* () {
    const answer = yield* Deferred.make<void>()
    const backend: Backend = {
      interruptible: ["fsync"],
      fsync: () => Effect.never,
      read: () => Effect.as(Deferred.await(answer), Buffer.from("hello"))
    }
    const { kernel } = yield* FakeKernel.serve(backend)
    yield* kernel.init()
    const reading = yield* kernel.send({
      op: "read",
      nodeid: 2,
      fh: 0,
      offset: 0,
      size: 4096,
      readFlags: 0,
      lockOwner: 0,
      flags: 0
    })
    const syncing = yield* kernel.send({ op: "fsync", nodeid: 2, fh: 0, fsyncFlags: 0 })
    yield* kernel.interrupt(reading)
    yield* kernel.interrupt(syncing)
    assert.strictEqual((yield* kernel.reply(syncing)).error, 4)
    yield* Deferred.succeed(answer, undefined)
    assert.strictEqual((yield* kernel.reply(reading)).error, 0, "not listed: it runs to its answer")
  })
)

it.live("a change of the namespace cannot be made interruptible by any signal, whatever the types were told", () =>
  Effect.gen(function* () {
    const listed: Array<"fsync"> = []
    Reflect.apply(Array.prototype.push, listed, ["rename"])
    const failed = yield* Effect.flip(FakeKernel.serve({ interruptible: listed }, { maxRestarts: 0 }))
    assert.include(inspect(failed, { depth: 10 }), "rename cannot be interruptible")
  })
)

describe("a change of the namespace that goes on without its caller", () => {
  it.live("answers one that dies at once; what comes later is given back, and the kernel drops the names", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const forgotten: Array<readonly [node: unknown, left: unknown]> = []
      let interrupted = false
      const slow = <A>(answer: A) =>
        Effect.onInterrupt(Effect.as(Deferred.await(gate), answer), () => Effect.sync(() => (interrupted = true)))
      const { kernel, session } = yield* FakeKernel.serve({
        interruptible: { mkdir: "fatal", rename: "fatal" },
        mkdir: () => slow({ ...file, nodeid: 7, attr: attr(7, 0o40755) }),
        rename: () => slow(undefined),
        forget: (nodeid, _count, left) => void forgotten.push([nodeid, left])
      })
      yield* kernel.init()
      const making = yield* kernel.send({ op: "mkdir", name: "made", mode: 0o755, umask: 0, pid: gone })
      const moving = yield* kernel.send({ op: "rename", name: "a", newdir: 5, newname: "b", flags: 0, pid: gone })
      for (const unique of [making, moving]) {
        yield* kernel.interrupt(unique)
        assert.strictEqual((yield* kernel.reply(unique)).error, 4)
      }
      assert.deepStrictEqual(kernel.notifications(), [])
      yield* Deferred.succeed(gate, undefined)
      yield* until(() => kernel.notifications().length === 3)
      assert.deepStrictEqual(
        kernel.notifications().map((one) => (one.notify === "invalEntry" ? [one.parent, one.name] : one)),
        [
          [1, "made"],
          [1, "a"],
          [5, "b"]
        ]
      )
      assert.deepStrictEqual(forgotten, [[7, 0]])
      assert.isFalse(interrupted)
      assert.strictEqual(session.connection.inFlight.size, 0)
      assert.deepStrictEqual(kernel.unexpected(), [])
    })
  )

  it.live("waits for one that handles its signal, and for all where the backend does not say so", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const { kernel } = yield* FakeKernel.serve({
        interruptible: { unlink: "fatal" },
        unlink: () => Deferred.await(gate),
        rmdir: () => Deferred.await(gate)
      })
      yield* kernel.init()
      const unlinking = yield* kernel.send({ op: "unlink", name: "a" })
      const removing = yield* kernel.send({ op: "rmdir", name: "b", pid: gone })
      yield* kernel.interrupt(unlinking)
      yield* kernel.interrupt(removing)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* kernel.reply(unlinking)).error, 0)
      assert.strictEqual((yield* kernel.reply(removing)).error, 0)
      assert.deepStrictEqual(kernel.notifications(), [])
    })
  )
})
