/** What the page's pictures are made of, by a clock that the test moves. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { makeRateKeeper } from "../src/dashboard/rates.ts"
import { type MountNumbers, noNumbers } from "../src/metrics/numbers.ts"

it.effect("rates are those of the last second, and five minutes of them are kept", () =>
  Effect.gen(function* () {
    let requests = 0
    let latencies: { [step: number]: number } = {}
    const counts = (): ReadonlyMap<string, MountNumbers> =>
      requests < 0
        ? new Map()
        : new Map([
            [
              "m",
              {
                ...noNumbers,
                requests,
                operations: { READ: { count: requests, errors: 0, microseconds: 0, latencies } }
              }
            ]
          ])
    const keeper = yield* makeRateKeeper(counts)
    const second = (more: number, step: number) => {
      requests += more
      latencies = { ...latencies, [step]: (latencies[step] ?? 0) + more }
      return TestClock.adjust("1 second")
    }
    yield* TestClock.adjust(0)
    yield* second(100, 8)
    yield* second(30, 12)
    assert.deepStrictEqual(keeper.recent("m"), {
      rates: { operations: 30, errors: 0, read: 0, written: 0 },
      latencies: { 12: 30 }
    })
    assert.deepStrictEqual(keeper.history("m"), [100, 30])
    for (let n = 0; n < 299; n++) yield* second(1, 8)
    assert.deepStrictEqual(keeper.history("m").slice(0, 2), [30, 1])
    assert.lengthOf(keeper.history("m"), 300)
    requests = -1
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual([keeper.recent("m"), keeper.history("m")], [undefined, []])
  })
)
