import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { make } from "../src/index.ts"
import { child, failure, failureOf, makeProbe, refusal, settled } from "./probe.ts"

class Word extends Context.Service<Word, string>()("test/Word") {}

const started = Effect.gen(function* () {
  const probe = makeProbe()
  const supervisor = yield* make({ strategy: "rest_for_one" }, [probe.spec("a"), probe.spec("b")])
  probe.taken()
  return { probe, supervisor }
})

describe("dynamic children", () => {
  it.effect("startChild adds at the end: it restarts with its elders and stops first", () =>
    Effect.gen(function* () {
      const { probe, supervisor } = yield* started
      yield* supervisor.startChild(probe.spec("c"))
      assert.strictEqual(probe.taken(), "+c")
      probe.finish("b", failure)
      yield* settled(supervisor)
      assert.strictEqual(probe.taken(), "-b -c +b +c")
      yield* supervisor.stop
      assert.strictEqual(probe.taken(), "-c -b -a")
    })
  )

  it.effect("a started child has the services of who started it, at every restart", () =>
    Effect.gen(function* () {
      const { supervisor } = yield* started
      const words: Array<string> = []
      yield* supervisor
        .startChild({
          id: "c",
          start: Effect.gen(function* () {
            words.push(yield* Word)
            return yield* words.length === 1 ? Effect.fail("broken") : Effect.never
          })
        })
        .pipe(Effect.provideService(Word, "hello"))
      yield* settled(supervisor)
      assert.deepStrictEqual(words, ["hello", "hello"])
    })
  )

  it.effect("startChild refuses an id that is there, and keeps nothing of a child that does not start", () =>
    Effect.gen(function* () {
      const { probe, supervisor } = yield* started
      assert.strictEqual(yield* refusal(supervisor.startChild(probe.spec("a"))), "already_present")
      probe.failInit("c", 1)
      const error = yield* Effect.flip(supervisor.startChild(probe.spec("c")))
      assert.strictEqual(error.reason, "start_failed")
      assert.strictEqual(failureOf(error.failure), "c does not start")
      assert.deepStrictEqual(
        (yield* supervisor.tree).children.map((node) => node.id),
        ["a", "b"]
      )
      yield* supervisor.startChild(probe.spec("c"))
      assert.strictEqual(probe.taken(), "!c +c")
    })
  )

  it.effect("terminate, restart, delete: each only from the state it is for", () =>
    Effect.gen(function* () {
      const { probe, supervisor } = yield* started
      assert.strictEqual(yield* refusal(supervisor.restartChild("a")), "running")
      assert.strictEqual(yield* refusal(supervisor.deleteChild("a")), "running")
      for (const command of [supervisor.terminateChild, supervisor.restartChild, supervisor.deleteChild]) {
        assert.strictEqual(yield* refusal(command("nobody")), "not_found")
      }
      yield* supervisor.terminateChild("a")
      yield* supervisor.terminateChild("a")
      assert.strictEqual(child(yield* supervisor.tree, "a").state, "stopped")
      assert.strictEqual(probe.taken(), "-a")
      probe.failInit("a", 1)
      assert.strictEqual(yield* refusal(supervisor.restartChild("a")), "start_failed")
      assert.strictEqual(child(yield* supervisor.tree, "a").state, "failed")
      yield* supervisor.restartChild("a")
      assert.strictEqual(probe.taken(), "!a +a")
      yield* supervisor.terminateChild("b")
      yield* supervisor.deleteChild("b")
      assert.deepStrictEqual(
        (yield* supervisor.tree).children.map((node) => node.id),
        ["a"]
      )
      assert.strictEqual(probe.taken(), "-b")
    })
  )

  it.effect("a terminated temporary child is forgotten; one that waits for its backoff is restarting", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const backoff = { initial: 100, max: 100, factor: 1, resetAfter: 1000 }
      const supervisor = yield* make({ strategy: "one_for_one", backoff }, [
        probe.spec("a"),
        probe.spec("b", { restart: "temporary" })
      ])
      yield* supervisor.terminateChild("b")
      assert.deepStrictEqual(
        (yield* supervisor.tree).children.map((node) => node.id),
        ["a"]
      )
      probe.finish("a", failure)
      yield* settled(supervisor)
      assert.strictEqual(yield* refusal(supervisor.restartChild("a")), "restarting")
      assert.strictEqual(yield* refusal(supervisor.deleteChild("a")), "restarting")
      yield* TestClock.adjust(100)
      yield* settled(supervisor)
      assert.strictEqual(child(yield* supervisor.tree, "a").state, "running")
    })
  )

  it.effect("a command that the supervisor does not live to do fails", () =>
    Effect.gen(function* () {
      const { supervisor } = yield* started
      const entered = yield* Deferred.make<void>()
      const starting = yield* Effect.forkChild(
        refusal(
          supervisor.startChild({
            id: "c",
            init: Effect.andThen(Deferred.succeed(entered, undefined), Effect.never),
            start: Effect.never
          })
        )
      )
      yield* Deferred.await(entered)
      yield* supervisor.stop
      assert.strictEqual(yield* Fiber.join(starting), "supervisor_stopped")
      assert.strictEqual(yield* refusal(supervisor.terminateChild("a")), "supervisor_stopped")
    })
  )
})
