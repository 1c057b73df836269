/** The short forms of `npm run power-cut` and `npm run power-cut -- --mount`. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { storeFolder } from "../mount/keeper.ts"
import { mountedLoad, runPowerCutTest, serversLoad } from "./powerCut.ts"

describe("what fsync has promised is there after a power cut at any moment, and fsck finds nothing", () => {
  it.live("of servers that are their own clients", () =>
    Effect.gen(function* () {
      const report = yield* runPowerCutTest(
        yield* storeFolder,
        { seed: 7, lives: 3, clients: 3, operations: 120, moments: 100 },
        serversLoad
      )
      assert.deepStrictEqual(report.failures, [])
      assert.isAbove(report.cuts, 40)
      assert.isAbove(report.promises, report.cuts)
    })
  )

  it.live("of a mounted store, with several processes that write to it and a server killed under them", () =>
    Effect.gen(function* () {
      const report = yield* runPowerCutTest(
        yield* storeFolder,
        { seed: 7, lives: 3, clients: 3, operations: 150, moments: 80 },
        mountedLoad
      )
      assert.deepStrictEqual(report.failures, [])
      assert.isAbove(report.cuts, 30)
      assert.isAbove(report.promises, report.cuts)
    })
  )
})
