/**
 * Random calls on a branch of a base that is full, and on a copy of it in memory: what is answered is the same, and so is all
 * that is there, however often the branch is opened anew. The base stays as it was.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as fc from "fast-check"
import { memory, workspace } from "../../src/index.ts"
import { newPlaces } from "./places.ts"
import { answer, fillBase, makeClock, snapshot, type Step, step, subject } from "./randomCalls.ts"

it.live("a branch of a full base answers as memory does, and is the same when it is opened anew", () =>
  Effect.gen(function* () {
    const check = (steps: ReadonlyArray<Step>): Effect.Effect<void, unknown> =>
      Effect.scoped(
        Effect.gen(function* () {
          const { base, store } = yield* newPlaces
          fillBase(base)
          const before = snapshot(base)
          const open = Effect.gen(function* () {
            const scope = yield* Scope.make()
            yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
            const backend = yield* Scope.provide(workspace(base, { store, clock: makeClock() }), scope)
            return { scope, tested: subject(backend) }
          })
          let branch = yield* open
          const model = subject(memory({ clock: makeClock() }))
          yield* model.fill
          for (const [n, given] of steps.entries()) {
            if (given.do === "reopen") {
              yield* Scope.close(branch.scope, Exit.void)
              branch = yield* open
            }
            assert.deepStrictEqual(
              yield* answer(branch.tested.act(given)),
              yield* answer(model.act(given)),
              `step ${n}: ${JSON.stringify(given)}`
            )
          }
          const expected = yield* model.walk
          assert.deepStrictEqual(yield* branch.tested.walk, expected)
          yield* Scope.close(branch.scope, Exit.void)
          branch = yield* open
          assert.deepStrictEqual(yield* branch.tested.walk, expected)
          assert.deepStrictEqual(snapshot(base), before)
        })
      )
    yield* Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 50 }), (steps) => Effect.runPromise(check(steps))),
        { numRuns: Number(process.env["RUNS"] ?? 60) }
      )
    )
  })
)
