import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { make, type Restart, type Strategy } from "../src/index.ts"
import { Model } from "./model.ts"
import { makeProbe, settled } from "./probe.ts"

const ids = ["a", "b", "c", "d"]
const strategies: ReadonlyArray<Strategy> = ["one_for_one", "rest_for_one", "one_for_all"]
const restartTypes: ReadonlyArray<Restart> = ["permanent", "permanent", "transient", "temporary"]

const anyId = fc.constantFrom(...ids)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("fail", "die", "kill", "succeed"), id: anyId }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("terminate", "start"), id: anyId }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("break"), id: anyId, times: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("wait"), millis: fc.integer({ min: 1, max: 3000 }) }) }
)
const scenario = fc.record({
  strategy: fc.constantFrom(...strategies),
  restarts: fc.array(fc.constantFrom(...restartTypes), { minLength: ids.length, maxLength: ids.length }),
  maxRestarts: fc.integer({ min: 0, max: 6 }),
  steps: fc.array(step, { minLength: 1, maxLength: 25 })
})
type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never

const follow = Effect.fnUntraced(function* ({ maxRestarts, restarts, steps, strategy }: Scenario) {
  const specs = ids.map((id, index) => ({ id, restart: restarts[index] ?? "permanent" }))
  const model = new Model(strategy, maxRestarts, 5000, specs)
  const probe = makeProbe()
  const scope = yield* Scope.make()
  const supervisor = yield* Scope.provide(
    make(
      { strategy, maxRestarts },
      specs.map(({ id, restart }) => probe.spec(id, { restart }))
    ),
    scope
  )
  let now = 0
  for (const step of steps) {
    if ("millis" in step) {
      now += step.millis
      yield* TestClock.setTime(now)
      continue
    }
    const { id } = step
    if ("times" in step) {
      probe.failInit(id, step.times)
      model.failing.set(id, step.times)
      continue
    }
    switch (step.do) {
      case "fail":
        probe.finish(id, Exit.fail("broken"))
        model.exit(id, false, now)
        break
      case "die":
        probe.finish(id, Exit.die("defect"))
        model.exit(id, false, now)
        break
      case "kill":
        supervisor.kill(id)
        model.exit(id, false, now)
        break
      case "succeed":
        probe.finish(id, Exit.succeed("done"))
        model.exit(id, true, now)
        break
      case "terminate":
        yield* Effect.exit(supervisor.terminateChild(id))
        model.terminate(id)
        break
      case "start":
        yield* Effect.exit(supervisor.restartChild(id))
        model.start(id)
        break
    }
    yield* settled(supervisor)
    assert.deepStrictEqual(probe.log, model.log)
    const tree = yield* supervisor.tree
    assert.deepStrictEqual(
      tree.children.map((child) => [child.id, child.state === "running"]),
      model.children.map((child) => [...child])
    )
    assert.strictEqual(tree.state, model.over ? "failed" : "running")
    if (model.over) break
  }
  yield* Scope.close(scope, Exit.void)
  assert.strictEqual(probe.open(), 0)
  const end = yield* Effect.exit(supervisor.await)
  assert.strictEqual(Exit.isFailure(end), model.over)
})

it.live(
  "random failures, ends, broken inits, commands and waits: as the model of OTP has it",
  () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(scenario, (run) => Effect.runPromise(Effect.provide(follow(run), TestClock.layer()))),
        { numRuns: 500 }
      )
    ),
  60_000
)
