import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { make, type Strategy } from "../src/index.ts"
import { child, failure, failureOf, makeProbe, settled } from "./probe.ts"

const abc = (strategy: Strategy) =>
  Effect.gen(function* () {
    const probe = makeProbe()
    const supervisor = yield* make(
      { strategy },
      ["a", "b", "c"].map((id) => probe.spec(id))
    )
    assert.strictEqual(probe.taken(), "+a +b +c")
    return { probe, supervisor }
  })

describe("strategies", () => {
  it.effect.each([
    ["one_for_one", "-b +b"],
    ["rest_for_one", "-b -c +b +c"],
    ["one_for_all", "-b -c -a +a +b +c"]
  ] as const)("%s: b fails: %s", ([strategy, expected]) =>
    Effect.gen(function* () {
      const { probe, supervisor } = yield* abc(strategy)
      probe.finish("b", failure)
      yield* settled(supervisor)
      assert.strictEqual(probe.taken(), expected)
    })
  )

  it.effect("closing the scope stops the children in reverse order, once, and ends normally", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const scope = yield* Scope.make()
      const supervisor = yield* Scope.provide(
        make(
          { strategy: "one_for_one" },
          ["a", "b", "c"].map((id) => probe.spec(id))
        ),
        scope
      )
      probe.taken()
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(probe.taken(), "-c -b -a")
      yield* supervisor.await
      yield* supervisor.stop
      assert.strictEqual(probe.taken(), "")
    })
  )
})

describe("restart types", () => {
  it.effect.each([
    ["permanent", Exit.succeed(1), "-b +b"],
    ["permanent", failure, "-b +b"],
    ["transient", Exit.succeed(1), "-b"],
    ["transient", failure, "-b +b"],
    ["transient", Exit.die("defect"), "-b +b"],
    ["transient", Exit.interrupt(), "-b +b"],
    ["temporary", Exit.succeed(1), "-b"],
    ["temporary", failure, "-b"]
  ] as const)("%s, %s: %s", ([restart, exit, expected]) =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const supervisor = yield* make({ strategy: "one_for_one" }, [probe.spec("a"), probe.spec("b", { restart })])
      probe.taken()
      probe.finish("b", exit)
      yield* settled(supervisor)
      assert.strictEqual(probe.taken(), expected)
      const ids = (yield* supervisor.tree).children.map((node) => node.id)
      assert.deepStrictEqual(ids, restart === "temporary" ? ["a"] : ["a", "b"])
    })
  )

  it.effect("a child that is interrupted from outside is restarted, also with a transient type", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const supervisor = yield* make({ strategy: "one_for_one" }, [probe.spec("a", { restart: "transient" })])
      assert.isTrue(supervisor.kill("a"))
      yield* settled(supervisor)
      assert.strictEqual(probe.taken(), "+a -a +a")
      const cause = child(yield* supervisor.tree, "a").lastCause
      assert.isTrue(cause !== undefined && Cause.hasInterruptsOnly(cause))
      assert.isFalse(supervisor.kill("nobody"))
    })
  )

  it.effect("a body that throws is a failed child like any other", () =>
    Effect.gen(function* () {
      let runs = 0
      const supervisor = yield* make({ strategy: "one_for_one" }, [
        {
          id: "a",
          start: Effect.suspend(() => {
            if (++runs === 1) throw new Error("thrown")
            return Effect.never
          })
        }
      ])
      yield* settled(supervisor)
      assert.strictEqual(runs, 2)
      assert.strictEqual(child(yield* supervisor.tree, "a").state, "running")
    })
  )

  it.effect("temporary siblings of a failed child are stopped for good; finished transient ones run again", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const supervisor = yield* make({ strategy: "one_for_all" }, [
        probe.spec("a"),
        probe.spec("b", { restart: "temporary" }),
        probe.spec("c", { restart: "transient" })
      ])
      probe.finish("c", Exit.void)
      yield* settled(supervisor)
      probe.taken()
      probe.finish("a", failure)
      yield* settled(supervisor)
      assert.strictEqual(probe.taken(), "-a -b +a +c")
    })
  )
})

describe("init", () => {
  it.effect("a first init that fails: what was started is stopped, and make fails with it", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      probe.failInit("c", 1)
      const error = yield* Effect.flip(
        make(
          { id: "top", strategy: "one_for_one" },
          ["a", "b", "c", "d"].map((id) => probe.spec(id))
        )
      )
      assert.strictEqual(probe.taken(), "+a +b !c -b -a")
      assert.strictEqual(error.reason, "start_failed")
      assert.strictEqual(error.child, "c")
      assert.strictEqual(failureOf(error.failure), "c does not start")
      assert.match(error.message, /top.*c/)
    })
  )

  it.effect("an init that fails during a restart counts as another restart, of the group that it belongs to", () =>
    Effect.gen(function* () {
      const { probe, supervisor } = yield* abc("rest_for_one")
      probe.failInit("b", 1)
      probe.finish("a", failure)
      yield* settled(supervisor)
      assert.strictEqual(probe.taken(), "-a -c -b +a !b +b +c")
      const tree = yield* supervisor.tree
      assert.deepStrictEqual(
        tree.children.map((node) => node.state),
        ["running", "running", "running"]
      )
      assert.strictEqual(failureOf(child(tree, "b").lastCause), "b does not start")
    })
  )

  it.effect("an init that never ends does not keep the supervisor from stopping", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const scope = yield* Scope.make()
      yield* Effect.forkChild(
        Effect.exit(
          Scope.provide(
            make({ strategy: "one_for_one" }, [probe.spec("a"), { id: "b", init: Effect.never, start: Effect.never }]),
            scope
          )
        ),
        { startImmediately: true }
      )
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(probe.taken(), "+a -a")
    })
  )

  it.effect("the body is over before what init acquired is released", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const supervisor = yield* make({ strategy: "one_for_one" }, [
        {
          id: "a",
          init: Effect.addFinalizer(() => Effect.sync(() => log.push("init released"))),
          start: Effect.addFinalizer(() => Effect.sync(() => log.push("start released"))).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Effect.sync(() => log.push("body over")))
          )
        }
      ])
      yield* supervisor.stop
      assert.deepStrictEqual(log, ["body over", "start released", "init released"])
    })
  )

  it.effect("options and specs that cannot be are defects that name them", () =>
    Effect.gen(function* () {
      const idle = { id: "a", start: Effect.never }
      const attempts = [
        [make({ strategy: "one_for_one", maxRestarts: -1 }, []), /maxRestarts/],
        [
          make({ strategy: "one_for_one", backoff: { initial: 1, max: 2, factor: 0, resetAfter: 1 } }, []),
          /backoff.factor/
        ],
        [make({ strategy: "one_for_one" }, [idle, idle]), /called a/],
        [
          make({ strategy: "one_for_one", autoShutdown: "any_significant" }, [{ ...idle, significant: true }]),
          /permanent/
        ],
        [make({ strategy: "one_for_one" }, [{ ...idle, restart: "transient", significant: true }]), /autoShutdown/]
      ] as const
      for (const [attempt, message] of attempts) {
        const exit = yield* Effect.exit(attempt)
        assert.isTrue(Exit.hasDies(exit))
        if (Exit.isFailure(exit)) assert.match(String(Cause.squash(exit.cause)), message)
      }
    })
  )
})
