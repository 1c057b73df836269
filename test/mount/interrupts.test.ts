/** Signals to programs whose calls are being worked on. */
import { assert, describe, it } from "@effect/vitest"
import { openReplyFlags } from "@bickford/protocol"
import { tree } from "bickford"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { serve } from "./inProcess.ts"
import { oneFile } from "./oneFile.ts"
import { ended } from "./processes.ts"

describe("a signalled program", () => {
  it.live("Ctrl-C in a read: the fiber behind it is interrupted, its finalizer runs, the program ends", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const finalized = yield* Deferred.make<void>()
      const { mounted, mountpoint } = yield* serve(
        oneFile({
          read: () =>
            Deferred.succeed(asked, undefined).pipe(
              Effect.andThen(Effect.never),
              Effect.onInterrupt(() => Deferred.succeed(finalized, undefined))
            )
        })
      )
      const cat = spawn("cat", [join(mountpoint, "file")], { stdio: "ignore" })
      yield* Deferred.await(asked)
      cat.kill("SIGINT")
      yield* Deferred.await(finalized)
      assert.strictEqual((yield* Effect.promise(() => ended(cat))).signal, "SIGINT")
      assert.strictEqual(mounted.session.connection.inFlight.size, 0)
    })
  )

  it.live("slow reads under a timer of 10 ms with SA_RESTART complete, through the page cache and past it", () =>
    Effect.gen(function* () {
      let interrupted = 0
      let openFlags = 0
      const { mounted, mountpoint, run } = yield* serve(
        oneFile({
          open: () => Exit.succeed({ fh: 0, openFlags }),
          read: (_, context) => {
            context.onInterrupt(() => interrupted++)
            return Effect.delay(Effect.succeed(Buffer.from("hello")), 60)
          }
        })
      )
      const program = join(mountpoint, "..", `slowReads-${process.pid}`)
      yield* Effect.addFinalizer(() => run("rm", ["-f", program]))
      yield* run("gcc", ["-O1", "-o", program, join(root, "test", "mount", "slowReads.c")])
      for (const flags of [0, openReplyFlags.FOPEN_DIRECT_IO]) {
        openFlags = flags
        // Ticks that come during one read are handled as one.
        assert.isAtLeast(Number(yield* run(program, [join(mountpoint, "file"), "8"])), 8)
      }
      assert.isAbove(interrupted, 0, "some ticks came while a read was worked on")
      assert.strictEqual(mounted.session.connection.counters.defects, 0)
    })
  )

  it.live("kill -9 in a slow open: the program is gone at once, and what is opened late is released", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const opens = yield* Deferred.make<void>()
      const released = yield* Deferred.make<void>()
      const { mountpoint } = yield* serve(
        oneFile({
          open: () =>
            Deferred.succeed(asked, undefined).pipe(
              Effect.andThen(Deferred.await(opens)),
              Effect.as({ fh: 7, openFlags: 0 })
            ),
          release: ({ fh }) => (fh === 7 ? Effect.asVoid(Deferred.succeed(released, undefined)) : Exit.void)
        })
      )
      const cat = spawn("cat", [join(mountpoint, "file")], { stdio: "ignore" })
      yield* Deferred.await(asked)
      cat.kill("SIGKILL")
      assert.strictEqual((yield* Effect.promise(() => ended(cat))).signal, "SIGKILL")
      yield* Deferred.succeed(opens, undefined)
      yield* Deferred.await(released)
    })
  )

  it.live("kill -9 in the slow open of a file of a tree: what makes the content is interrupted", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const finalized = yield* Deferred.make<void>()
      const slow = Deferred.succeed(asked, undefined).pipe(
        Effect.andThen(Effect.never),
        Effect.onInterrupt(() => Deferred.succeed(finalized, undefined))
      )
      const { mountpoint } = yield* serve(tree({ file: () => slow }))
      const cat = spawn("cat", [join(mountpoint, "file")], { stdio: "ignore" })
      yield* Deferred.await(asked)
      cat.kill("SIGKILL")
      assert.strictEqual((yield* Effect.promise(() => ended(cat))).signal, "SIGKILL")
      yield* Deferred.await(finalized)
    })
  )
})
