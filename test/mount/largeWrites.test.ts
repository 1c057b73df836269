/** Large writes, whose data may go where it stays, beside the same on the machine's own filesystem. */
import { assert, describe, it } from "@effect/vitest"
import { memory } from "@bickford/backends"
import * as Effect from "effect/Effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { serve } from "./inProcess.ts"

const script = join(import.meta.dirname, "largeWrites.py")

describe("large writes", () => {
  it.live("leave in a file what they leave in any other", () =>
    Effect.gen(function* () {
      const plain = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "bickford-plain-"))),
        (folder) => Effect.promise(() => rm(folder, { recursive: true }))
      )
      const taken = { count: 0, large: 0 }
      const backend = memory()
      const init = backend.init
      const { mountpoint, run } = yield* serve({
        ...backend,
        // Looks on at what is lent: an array that is not given again was taken over.
        init: (negotiated, connection) =>
          init?.(negotiated, {
            ...connection,
            lendMemory: (memoryOf) => {
              let last: Uint8Array | undefined
              connection.lendMemory(() => {
                const next = memoryOf()
                if (last !== undefined && next !== last) taken.count++
                last = next
                return next
              })
            }
          }) ?? Effect.void,
        write: (request, context) => {
          if (request.size === 1 << 20) taken.large++
          return backend.write?.(request, context) ?? Effect.die("no write")
        }
      })
      for (const seed of [1, 2]) {
        const expected = yield* run("python3", [script, plain, String(seed)])
        assert.strictEqual(yield* run("python3", [script, mountpoint, String(seed)]), expected)
      }
      assert.isAbove(taken.count, taken.large / 8, "of large writes many were taken over")
    })
  )
})
