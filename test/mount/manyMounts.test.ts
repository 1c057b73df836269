/** Many mounts in one process, each with a tree of its own. */
import { assert, it } from "@effect/vitest"
import { findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { join } from "node:path"
import { serve } from "./inProcess.ts"
import { oneFile } from "./oneFile.ts"

const count = 50

it.live("50 mounts, one of them stuck in an operation: the others answer", () =>
  Effect.gen(function* () {
    const mountpoints = yield* Effect.scoped(
      Effect.gen(function* () {
        const stuck = yield* serve(oneFile({ read: () => Effect.never }), {
          stopTimeout: "100 millis",
          session: { drain: "100 millis" }
        })
        const hanging = yield* Effect.forkChild(stuck.attempt("cat", [join(stuck.mountpoint, "file")]))
        yield* Effect.repeat(Effect.yieldNow, { until: () => stuck.mounted.session.connection.inFlight.size === 1 })
        const others = yield* Effect.all(
          Array.from({ length: count - 1 }, (_, n) =>
            serve(oneFile({ read: () => Effect.succeed(Buffer.from(String(n))) }))
          ),
          { concurrency: 8 }
        )
        const devices = new Set([stuck, ...others].map(({ mounted }) => mounted.device))
        assert.strictEqual(devices.size, count)
        for (let round = 0; round < 2; round++) {
          const said = yield* (
            others[0]?.run(
              "cat",
              others.map(({ mountpoint }) => join(mountpoint, "file"))
            ) ?? Effect.die("none")
          )
          assert.strictEqual(said, others.map((_, n) => String(n)).join(""))
        }
        assert.isUndefined(hanging.pollUnsafe())
        // An unmount of one is nothing to the others.
        yield* others[0]?.mounted.unmount() ?? Effect.void
        assert.strictEqual(
          yield* others[1]?.run("cat", [join(others[1].mountpoint, "file")]) ?? Effect.succeed(""),
          "1"
        )
        yield* Fiber.interrupt(hanging)
        return [stuck, ...others].map(({ mountpoint }) => mountpoint)
      })
    )
    for (const mountpoint of mountpoints) assert.isUndefined(findMount(mountpoint))
  })
)
