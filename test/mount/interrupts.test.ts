/** Signals to programs whose calls are being worked on. */
import { assert, describe, it } from "@effect/vitest"
import { type Backend, memory } from "bickford"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { serve } from "./inProcess.ts"
import { oneFile } from "./oneFile.ts"
import { ended } from "./processes.ts"

describe("a signalled program", () => {
  it.live("Ctrl-C in a read: the fiber behind it is interrupted, its finalizer runs, the program ends", () =>
    Effect.gen(function*() {
      const asked = yield* Deferred.make<void>()
      const finalized = yield* Deferred.make<void>()
      const { mounted, mountpoint } = yield* serve(oneFile({
        read: () =>
          Deferred.succeed(asked, undefined).pipe(
            Effect.andThen(Effect.never),
            Effect.onInterrupt(() => Deferred.succeed(finalized, undefined))
          )
      }))
      const cat = spawn("cat", [join(mountpoint, "file")], { stdio: "ignore" })
      yield* Deferred.await(asked)
      cat.kill("SIGINT")
      yield* Deferred.await(finalized)
      assert.strictEqual((yield* Effect.promise(() => ended(cat))).signal, "SIGINT")
      assert.strictEqual(mounted.session.connection.inFlight.size, 0)
    }))

  it.live("100,000 namespace calls under a 1 ms timer: none fails", () =>
    Effect.gen(function*() {
      const kept = memory()
      let interrupted = 0
      /** Each operation takes a moment, so that signals come while it is worked on. */
      const slowed: Backend = {
        ...kept,
        mkdir: (request, context) => {
          context.onInterrupt(() => interrupted++)
          return Effect.andThen(Effect.yieldNow, Effect.suspend(() => kept.mkdir?.(request, context) ?? Effect.die("no mkdir")))
        },
        rename: (request, context) => {
          context.onInterrupt(() => interrupted++)
          return Effect.andThen(Effect.yieldNow, Effect.suspend(() => kept.rename?.(request, context) ?? Effect.die("no rename")))
        }
      }
      const { mounted, mountpoint, run } = yield* serve(slowed)
      const program = join(mountpoint, "..", `interrupts-${process.pid}`)
      yield* Effect.addFinalizer(() => run("rm", ["-f", program]))
      yield* run("gcc", ["-O1", "-o", program, join(root, "test", "mount", "interrupts.c")])
      const signals = Number(yield* run(program, [mountpoint, "100000"]))
      assert.isAbove(signals, 100)
      assert.isAbove(interrupted, 0, "some came while an operation was worked on")
      assert.strictEqual(mounted.session.connection.inFlight.size, 0)
      assert.strictEqual(mounted.session.connection.counters.defects, 0)
    }))
})
