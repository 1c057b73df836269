import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { type ChildSpec, make } from "../src/index.ts"
import { child, failure, makeProbe, settled } from "./probe.ts"

/** A child that ends only when the test lets it. */
const stubborn = Effect.gen(function* () {
  const release = yield* Deferred.make<void>()
  const spec: ChildSpec<never, never> = { id: "stubborn", start: Effect.uninterruptible(Deferred.await(release)) }
  return { release, spec }
})

describe("bounded shutdown", () => {
  it.effect("a child that does not stop is waited for 5 s, then left behind; the rest is stopped", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const { release, spec } = yield* stubborn
      let released = false
      const init = Effect.addFinalizer(() =>
        Effect.sync(() => {
          released = true
        })
      )
      const supervisor = yield* make({ strategy: "one_for_one" }, [probe.spec("a"), { ...spec, init }, probe.spec("c")])
      const stopping = yield* Effect.forkChild(supervisor.stop, { startImmediately: true })
      yield* TestClock.adjust(4999)
      assert.strictEqual(child(yield* supervisor.tree, "stubborn").state, "stopping")
      assert.strictEqual(probe.taken(), "+a +c -c")
      yield* TestClock.adjust(1)
      yield* Fiber.join(stopping)
      assert.strictEqual(probe.taken(), "-a")
      assert.isFalse(released)
      // What was left behind still releases what it holds when it ends.
      yield* Deferred.succeed(release, undefined)
      yield* Effect.yieldNow
      assert.isTrue(released)
    })
  )

  it.effect("infinity waits as long as it takes; brutal not at all", () =>
    Effect.gen(function* () {
      const { release, spec } = yield* stubborn
      const patient = yield* make({ strategy: "one_for_one" }, [{ ...spec, shutdown: "infinity" }])
      const stopping = yield* Effect.forkChild(patient.stop, { startImmediately: true })
      yield* TestClock.adjust("1 day")
      assert.strictEqual(child(yield* patient.tree, "stubborn").state, "stopping")
      const brutal = yield* make({ strategy: "one_for_one" }, [{ ...spec, shutdown: "brutal" }])
      yield* brutal.stop
      yield* Deferred.succeed(release, undefined)
      yield* Fiber.join(stopping)
    })
  )

  it.effect("a finalizer that hangs delays a failed child's restart no longer than its limit", () =>
    Effect.gen(function* () {
      let runs = 0
      const supervisor = yield* make({ strategy: "one_for_one" }, [
        {
          id: "a",
          shutdown: "1 second",
          init: Effect.addFinalizer(() => Effect.never),
          start: Effect.suspend(() => (++runs === 1 ? Effect.fail("broken") : Effect.never))
        }
      ])
      yield* TestClock.adjust("1 second")
      yield* settled(supervisor)
      assert.strictEqual(runs, 2)
      // The hanging finalizer of the second run.
      const stopping = yield* Effect.forkChild(supervisor.stop, { startImmediately: true })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(stopping)
    })
  )

  it.effect("a finalizer that dies does not disturb the restart", () =>
    Effect.gen(function* () {
      let runs = 0
      const supervisor = yield* make({ strategy: "one_for_one" }, [
        {
          id: "a",
          init: Effect.addFinalizer(() => Effect.die("in the finalizer")),
          start: Effect.suspend(() => (++runs === 1 ? Effect.fail("broken") : Effect.never))
        }
      ])
      yield* settled(supervisor)
      assert.strictEqual(runs, 2)
    })
  )

  it.effect("a child can stop its own supervisor", () =>
    Effect.gen(function* () {
      const go = yield* Deferred.make<Effect.Effect<void>>()
      const supervisor = yield* make({ strategy: "one_for_one" }, [
        { id: "a", start: Effect.flatten(Deferred.await(go)) }
      ])
      yield* Deferred.succeed(go, supervisor.stop)
      yield* supervisor.await
    })
  )
})

describe("auto shutdown", () => {
  const significant = { restart: "transient", significant: true } as const

  it.effect("any_significant: the first normal end stops the rest in reverse, and await succeeds", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const supervisor = yield* make({ strategy: "one_for_all", autoShutdown: "any_significant" }, [
        probe.spec("a"),
        probe.spec("b", significant),
        probe.spec("c")
      ])
      probe.finish("b", failure)
      yield* settled(supervisor)
      assert.strictEqual(probe.taken(), "+a +b +c -b -c -a +a +b +c")
      probe.finish("b", Exit.void)
      yield* supervisor.await
      assert.strictEqual(probe.taken(), "-b -c -a")
      assert.strictEqual((yield* supervisor.tree).state, "stopped")
    })
  )

  it.effect(
    "all_significant: the last one's; a temporary one counts however it ends; a terminated one does not end it",
    () =>
      Effect.gen(function* () {
        const probe = makeProbe()
        const supervisor = yield* make({ strategy: "one_for_one", autoShutdown: "all_significant" }, [
          probe.spec("a", significant),
          probe.spec("b", { restart: "temporary", significant: true }),
          probe.spec("c", significant),
          probe.spec("d")
        ])
        probe.finish("a", Exit.void)
        yield* settled(supervisor)
        yield* supervisor.terminateChild("c")
        probe.taken()
        probe.finish("b", failure)
        yield* supervisor.await
        assert.strictEqual(probe.taken(), "-b -d")
      })
  )

  it.effect("never: normal ends end nothing", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const supervisor = yield* make({ strategy: "one_for_one" }, [
        probe.spec("a", { restart: "transient" }),
        probe.spec("b")
      ])
      probe.finish("a", Exit.void)
      yield* settled(supervisor)
      assert.strictEqual((yield* supervisor.tree).state, "running")
    })
  )
})
