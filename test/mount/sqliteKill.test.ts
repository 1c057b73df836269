/** A server that kills itself at its worst moments, again and again, on a real mount: each call is done once. */
import { assert, describe, it } from "@effect/vitest"
import { checkStore } from "@bickford/backends"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { join } from "node:path"
import { root } from "./bickford.ts"
import { keep, storeFolder } from "./keeper.ts"
import { ended } from "./processes.ts"

const rounds = 16
const client = join(root, "test", "mount", "once.mjs")

describe("a server of a store that kills itself", () => {
  for (const moment of [
    "between reading and decoding",
    "before the commit",
    "between commit and reply",
    "after the reply"
  ]) {
    it.live(`${moment}: no call fails, and each is done once`, () =>
      Effect.gen(function* () {
        const store = join(yield* storeFolder, "store")
        const { mountpoint, run, start, unmount } = yield* keep("dying.ts", [
          store,
          moment,
          moment === "between reading and decoding" ? "150" : "45"
        ])
        let deaths = 0
        let server = yield* Effect.promise(start)
        const revive = Effect.promise(async () => {
          for (;;) {
            const { signal } = await ended(server)
            if (signal !== "SIGKILL") return
            deaths++
            server = await start()
          }
        })
        const revived = yield* Effect.forkChild(revive)
        const said = yield* run(process.execPath, [client, join(mountpoint, "work"), String(rounds)])
        const { left, wrong } = JSON.parse(said)
        assert.deepStrictEqual(wrong, [])
        assert.strictEqual(left, rounds / 2)
        yield* unmount
        yield* Fiber.join(revived)
        assert.isAtLeast(deaths, 5)
        assert.deepStrictEqual((yield* checkStore(store)).problems, [])
      })
    )
  }
})
