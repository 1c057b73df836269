/** Signals in great number to a program that makes calls. */
import { assert, describe, it } from "@effect/vitest"
import { type Backend, memory } from "bickford"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { serve } from "./inProcess.ts"

describe("a program signalled all the time", () => {
  it.live("100,000 namespace calls under a 1 ms timer: none fails", () =>
    Effect.gen(function* () {
      const kept = memory()
      let interrupted = 0
      /** Each operation takes a moment, so that signals come while it is worked on. */
      const slowed: Backend = {
        ...kept,
        mkdir: (request, context) => {
          context.onInterrupt(() => interrupted++)
          return Effect.andThen(
            Effect.yieldNow,
            Effect.suspend(() => kept.mkdir?.(request, context) ?? Effect.die("no mkdir"))
          )
        },
        rename: (request, context) => {
          context.onInterrupt(() => interrupted++)
          return Effect.andThen(
            Effect.yieldNow,
            Effect.suspend(() => kept.rename?.(request, context) ?? Effect.die("no rename"))
          )
        }
      }
      const { mounted, mountpoint, run } = yield* serve(slowed)
      const program = join(mountpoint, "..", `interrupts-${process.pid}`)
      yield* Effect.addFinalizer(() => run("rm", ["-f", program]))
      yield* run("gcc", ["-O1", "-o", program, join(root, "test", "mount", "interrupts.c")])
      const signals = Number(yield* run(program, [mountpoint, "100000"]))
      assert.isAbove(signals, 100)
      // By a ring's side they come up to 10 ms late.
      if (mounted.session.connection.negotiated?.overIoUring === false)
        assert.isAbove(interrupted, 0, "some came while an operation was worked on")
      assert.strictEqual(mounted.session.connection.inFlight.size, 0)
      assert.strictEqual(mounted.session.connection.counters.defects, 0)
    })
  )
})
