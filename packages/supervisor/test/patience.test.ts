import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { TestClock } from "effect/testing"
import { patientSleep, patientTimeoutOption } from "../src/index.ts"
import { stoppedClock } from "./stoppedClock.ts"

describe("patience", () => {
  it.effect("without a stop it is a sleep", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(patientSleep("5 seconds"), { startImmediately: true })
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(fiber)
      const never = yield* Effect.forkChild(patientSleep(Number.POSITIVE_INFINITY), { startImmediately: true })
      yield* TestClock.adjust("365 days")
      assert.isUndefined(never.pollUnsafe())
      yield* Fiber.interrupt(never)
    })
  )

  it.live("a stop of the process is not time that others had", () =>
    Effect.gen(function* () {
      for (const nth of [1, 8, 16]) {
        const { now, provide } = stoppedClock(nth, 60_000)
        yield* provide(patientSleep(1000))
        assert.isAtLeast(now(), 61_000, `stopped in part ${nth}`)
        assert.isBelow(now(), 61_200)
      }
    })
  )

  it.live("what arrived during a stop counts, also in a wait's last moment", () =>
    Effect.gen(function* () {
      for (const nth of [1, 16]) {
        const arrived = Deferred.makeUnsafe<string>()
        const { provide } = stoppedClock(nth, 60_000, () => Deferred.doneUnsafe(arrived, Exit.succeed("in time")))
        assert.deepStrictEqual(
          yield* provide(Deferred.await(arrived).pipe(patientTimeoutOption(1000))),
          Option.some("in time")
        )
      }
      const { provide } = stoppedClock(3, 60_000)
      assert.deepStrictEqual(yield* provide(Effect.never.pipe(patientTimeoutOption(1000))), Option.none())
    })
  )
})
