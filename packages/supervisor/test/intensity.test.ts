import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { TestClock } from "effect/testing"
import { make, type SupervisorOptions } from "../src/index.ts"
import { child, failure, failureOf, makeProbe, settled } from "./probe.ts"

const one = (options: Omit<SupervisorOptions, "strategy">) =>
  Effect.gen(function* () {
    const probe = makeProbe()
    const supervisor = yield* make({ id: "top", strategy: "one_for_one", ...options }, [probe.spec("a")])
    const crash = Effect.gen(function* () {
      probe.finish("a", failure)
      yield* settled(supervisor)
    })
    probe.taken()
    return { probe, supervisor, crash }
  })

describe("intensity", () => {
  it.effect("one restart more than maxRestarts: the children are stopped, await fails with the history", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const supervisor = yield* make({ id: "top", strategy: "one_for_one" }, [probe.spec("a"), probe.spec("b")])
      probe.taken()
      for (const at of [0, 1000, 2000]) {
        yield* TestClock.setTime(at)
        probe.finish("a", failure)
        yield* settled(supervisor)
      }
      assert.strictEqual(probe.taken(), "-a +a -a +a -a +a")
      yield* TestClock.setTime(3000)
      probe.finish("a", Exit.void)
      const error = yield* Effect.flip(supervisor.await)
      assert.strictEqual(probe.taken(), "-a -b")
      assert.strictEqual(error.reason, "restarts_exceeded")
      assert.strictEqual(error.child, "a")
      assert.strictEqual(error.failure, undefined)
      assert.deepStrictEqual(
        error.history.map(({ at, cause, id }) => [id, at, failureOf(cause)]),
        [
          ["a", 0, "broken"],
          ["a", 1000, "broken"],
          ["a", 2000, "broken"],
          ["a", 3000, undefined]
        ]
      )
      assert.match(error.message, /top.*a, a, a, a/)
      const tree = yield* supervisor.tree
      assert.deepStrictEqual([tree.state, ...tree.children.map((node) => node.state)], ["failed", "failed", "stopped"])
      yield* supervisor.stop
    })
  )

  it.effect.each([
    [5000, false],
    [5001, true]
  ] as const)("with maxRestarts 1 in 5 s, a second restart %i ms later is survived: %s", ([later, survived]) =>
    Effect.gen(function* () {
      const { crash, probe, supervisor } = yield* one({ maxRestarts: 1 })
      yield* crash
      yield* TestClock.adjust(later)
      probe.finish("a", failure)
      if (survived) {
        yield* settled(supervisor)
        assert.strictEqual(child(yield* supervisor.tree, "a").state, "running")
      } else {
        yield* Effect.flip(supervisor.await)
      }
    })
  )

  it.effect("maxRestarts 0: the first failure is the last", () =>
    Effect.gen(function* () {
      const { probe, supervisor } = yield* one({ maxRestarts: 0 })
      probe.finish("a", failure)
      yield* Effect.flip(supervisor.await)
      assert.strictEqual(probe.taken(), "-a")
    })
  )

  it.effect("maxRestarts Infinity: commands are heard while an init fails over and over", () =>
    Effect.gen(function* () {
      const { probe, supervisor } = yield* one({ maxRestarts: Infinity })
      probe.failInit("a", Infinity)
      probe.finish("a", failure)
      yield* settled(supervisor)
      yield* supervisor.terminateChild("a")
      assert.strictEqual(child(yield* supervisor.tree, "a").state, "stopped")
      assert.isAbove(child(yield* supervisor.tree, "a").restarts, 3)
    })
  )

  it.effect("the supervisor gives up over a failing init too", () =>
    Effect.gen(function* () {
      const { probe, supervisor } = yield* one({ maxRestarts: 2 })
      probe.failInit("a", Infinity)
      probe.finish("a", failure)
      const error = yield* Effect.flip(supervisor.await)
      assert.strictEqual(probe.taken(), "-a !a !a")
      assert.strictEqual(error.reason, "restarts_exceeded")
      assert.strictEqual(error.history.length, 3)
    })
  )
})

describe("backoff", () => {
  const backoff = { initial: 100, max: 1000, factor: 3, resetAfter: "1 minute" } as const
  const options = { maxRestarts: Infinity, backoff }

  it.effect("grows to its maximum and is forgotten after a quiet period", () =>
    Effect.gen(function* () {
      const { crash, probe, supervisor } = yield* one(options)
      const waits = Effect.fnUntraced(function* (delay: number) {
        yield* crash
        assert.strictEqual(child(yield* supervisor.tree, "a").state, "backoff")
        yield* TestClock.adjust(delay - 1)
        yield* settled(supervisor)
        assert.strictEqual(probe.taken(), "-a")
        yield* TestClock.adjust(1)
        yield* settled(supervisor)
        assert.strictEqual(probe.taken(), "+a")
      })
      for (const delay of [100, 300, 900, 1000, 1000]) yield* waits(delay)
      yield* TestClock.adjust(59_999)
      yield* waits(1000)
      yield* TestClock.adjust(60_000)
      yield* waits(100)
    })
  )

  it.effect("the siblings of the group are down meanwhile, others go on and can fail", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const supervisor = yield* make(
        { strategy: "rest_for_one", ...options },
        ["a", "b", "c"].map((id) => probe.spec(id))
      )
      probe.taken()
      probe.finish("b", failure)
      yield* settled(supervisor)
      assert.strictEqual(probe.taken(), "-b -c")
      assert.deepStrictEqual(
        (yield* supervisor.tree).children.map((node) => node.state),
        ["running", "backoff", "backoff"]
      )
      yield* TestClock.adjust(50)
      probe.finish("a", failure)
      yield* settled(supervisor)
      // One wait for all three now: the earlier one is over.
      yield* TestClock.adjust(99)
      yield* settled(supervisor)
      assert.strictEqual(probe.taken(), "-a")
      yield* TestClock.adjust(1)
      yield* settled(supervisor)
      assert.strictEqual(probe.taken(), "+a +b +c")
    })
  )

  it.effect("a child terminated while it waits does not come back; those that wait with it do", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const supervisor = yield* make(
        { strategy: "one_for_all", ...options },
        ["a", "b"].map((id) => probe.spec(id))
      )
      probe.finish("a", failure)
      yield* settled(supervisor)
      yield* supervisor.terminateChild("a")
      probe.taken()
      yield* TestClock.adjust(100)
      yield* settled(supervisor)
      assert.strictEqual(probe.taken(), "+b")
    })
  )

  it.effect("stopping does not wait for it", () =>
    Effect.gen(function* () {
      const { crash, probe, supervisor } = yield* one(options)
      yield* crash
      yield* supervisor.stop
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(probe.taken(), "-a")
    })
  )

  it.effect("the window is of elapsed time: a wall clock that is set back brings no restart into it", () =>
    Effect.gen(function* () {
      const { crash, supervisor } = yield* one({ maxRestarts: 1, maxSeconds: "5 seconds" })
      for (let n = 0; n < 5; n++) {
        yield* crash
        yield* TestClock.adjust("10 seconds")
        yield* TestClock.setTime(0)
      }
      assert.strictEqual((yield* supervisor.tree).restarts, 5)
    })
  )
})
