import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { stoppedClock } from "../../supervisor/test/stoppedClock.ts"
import { makeBeats } from "../src/keeper/beats.ts"

describe("beats", () => {
  it.effect("are missed after the limit, and not before", () =>
    Effect.gen(function* () {
      const beats = makeBeats()
      const silence = yield* Effect.forkChild(beats.silence(1000), { startImmediately: true })
      for (let n = 0; n < 10; n++) {
        beats.heard()
        yield* TestClock.adjust("900 millis")
      }
      assert.isUndefined(silence.pollUnsafe())
      yield* TestClock.adjust("1 seconds")
      yield* Fiber.join(silence)
    })
  )

  it.live("are not missed by a keeper that was stopped itself", () =>
    Effect.gen(function* () {
      for (const nth of [1, 3, 4]) {
        const beats = makeBeats()
        const { now, provide } = stoppedClock(nth, 35_000)
        yield* provide(beats.silence(30_000))
        // Only a whole limit after the stop.
        assert.isAtLeast(now(), 65_000, `stopped in sleep ${nth}`)
      }
    })
  )
})
