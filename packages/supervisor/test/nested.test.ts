import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import { TestClock } from "effect/testing"
import { make, nested, SupervisorError } from "../src/index.ts"
import { child, failure, failureOf, makeProbe, settled } from "./probe.ts"

describe("nested supervisors", () => {
  it.effect("one that gives up is its parent's failed child, and is started again whole", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const inner = nested({ id: "inner", strategy: "one_for_one", maxRestarts: 1 }, [probe.spec("x"), probe.spec("y")])
      const supervisor = yield* make({ id: "outer", strategy: "one_for_one" }, [
        probe.spec("a"),
        inner,
        probe.spec("z")
      ])
      probe.finish("x", failure)
      yield* settled(supervisor)
      assert.strictEqual(probe.taken(), "+a +x +y +z -x +x")
      probe.finish("x", failure)
      yield* settled(supervisor)
      assert.strictEqual(probe.taken(), "-x -y +x +y")
      const node = child(yield* supervisor.tree, "inner")
      const error = failureOf(node.lastCause)
      assert.instanceOf(error, SupervisorError)
      assert.strictEqual(node.restarts, 1)
      assert.strictEqual(node.type, "supervisor")
      assert.deepStrictEqual(
        node.children.map(({ id, restarts, state }) => [id, state, restarts]),
        [
          ["x", "running", 0],
          ["y", "running", 0]
        ]
      )
      yield* supervisor.stop
      assert.strictEqual(probe.taken(), "-z -y -x -a")
      assert.deepStrictEqual(child(yield* supervisor.tree, "inner").children, [])
    })
  )

  it.effect("a nested supervisor that does not start is a child that does not start", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      probe.failInit("y", 1)
      const error = yield* Effect.flip(
        make({ id: "outer", strategy: "one_for_one" }, [
          nested({ id: "inner", strategy: "one_for_one" }, [probe.spec("x"), probe.spec("y")]),
          probe.spec("z")
        ])
      )
      assert.strictEqual(probe.taken(), "+x !y -x")
      assert.strictEqual(error.child, "inner")
      const inner = failureOf(error.failure)
      assert.strictEqual(inner instanceof SupervisorError ? inner.child : inner, "y")
    })
  )

  it.effect("failure goes up level by level to whoever awaits the root", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const level = { strategy: "one_for_one", maxRestarts: 0 } as const
      const supervisor = yield* make({ ...level, id: "1" }, [
        nested({ ...level, id: "2" }, [nested({ ...level, id: "3" }, [probe.spec("x")])])
      ])
      probe.finish("x", failure)
      const ids: Array<string> = []
      let error: unknown = yield* Effect.flip(supervisor.await)
      while (error instanceof SupervisorError) {
        ids.push(error.id)
        error = failureOf(error.failure)
      }
      assert.deepStrictEqual(ids, ["1", "2", "3"])
      assert.strictEqual(error, "broken")
      assert.strictEqual(probe.open(), 0)
    })
  )
})

describe("events and tree", () => {
  it.effect("events say what happened where and when, nested ones with their path", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const backoff = { initial: 50, max: 50, factor: 1, resetAfter: 1000 }
      const supervisor = yield* make({ strategy: "one_for_one", backoff }, [
        nested({ id: "inner", strategy: "one_for_one" }, [probe.spec("x")])
      ])
      yield* settled(supervisor)
      const events = yield* supervisor.events
      const take = Effect.map(PubSub.takeAll(events), (all) =>
        all.map((event) => `${event.at} ${event.path.join("/")} ${event._tag}`)
      )
      yield* TestClock.adjust(7)
      probe.finish("x", failure)
      yield* settled(supervisor)
      assert.deepStrictEqual(yield* take, [
        "7 inner/x Exited",
        "7 inner/x Stopping",
        "7 inner/x Stopped",
        "7 inner/x Restarting",
        "7 inner/x Starting",
        "7 inner/x Started"
      ])
      supervisor.kill("inner")
      yield* settled(supervisor)
      yield* TestClock.adjust(50)
      yield* settled(supervisor)
      assert.deepStrictEqual(yield* take, [
        "7 inner Exited",
        "7 inner Stopping",
        "7 inner/x Stopping",
        "7 inner/x Stopped",
        "7 inner Ended",
        "7 inner Stopped",
        "7 inner Restarting",
        "57 inner Starting",
        "57 inner/x Starting",
        "57 inner/x Started",
        "57 inner Started"
      ])
      yield* supervisor.stop
      assert.strictEqual((yield* take).at(-1), "57  Ended")
    })
  )

  it.effect("a node says since when it is in its state, its restarts and its last cause", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const supervisor = yield* make({ id: "top", strategy: "one_for_all" }, [probe.spec("a"), probe.spec("b")])
      assert.strictEqual(child(yield* supervisor.tree, "a").lastCause, undefined)
      yield* TestClock.adjust(1234)
      probe.finish("a", failure)
      yield* settled(supervisor)
      const tree = yield* supervisor.tree
      assert.deepStrictEqual(
        [tree.id, tree.type, tree.state, tree.since, tree.restarts],
        ["top", "supervisor", "running", 0, 2]
      )
      assert.deepStrictEqual(
        tree.children.map(({ id, lastCause, restarts, since, state }) => [
          id,
          state,
          since,
          restarts,
          failureOf(lastCause)
        ]),
        [
          ["a", "running", 1234, 1, "broken"],
          ["b", "running", 1234, 1, undefined]
        ]
      )
    })
  )

  it.effect("a subscriber that reads nothing holds back nobody", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      const supervisor = yield* make({ strategy: "one_for_one", maxRestarts: Infinity }, [probe.spec("a")])
      const events = yield* supervisor.events
      for (let round = 0; round < 300; round++) {
        probe.finish("a", failure)
        yield* Effect.flip(supervisor.terminateChild("nobody"))
      }
      assert.strictEqual(child(yield* supervisor.tree, "a").restarts, 300)
      assert.isAtMost(
        Option.getOrElse(PubSub.remainingUnsafe(events), () => Infinity),
        1024
      )
    })
  )

  it.effect("nothing is left of a thousand restarts and a stop: no run, no finalizer", () =>
    Effect.gen(function* () {
      const probe = makeProbe()
      let bodies = 0
      const supervisor = yield* make({ strategy: "one_for_all", maxRestarts: Infinity }, [
        probe.spec("a"),
        {
          id: "b",
          start: Effect.acquireUseRelease(
            Effect.sync(() => bodies++),
            () => Effect.andThen(Effect.forkScoped(Effect.never), Effect.never),
            () => Effect.sync(() => bodies--)
          )
        }
      ])
      for (let round = 0; round < 1000; round++) {
        probe.finish("a", round % 2 === 0 ? failure : Exit.die("defect"))
        yield* Effect.flip(supervisor.terminateChild("nobody"))
      }
      assert.strictEqual(child(yield* supervisor.tree, "a").restarts, 1000)
      assert.deepStrictEqual([probe.open(), bodies], [1, 1])
      yield* supervisor.stop
      assert.deepStrictEqual([probe.open(), bodies], [0, 0])
    })
  )
})
