/** The short form of `npm run power-cut`. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { storeFolder } from "../mount/keeper.ts"
import { runPowerCutTest } from "./powerCut.ts"

it.live("what fsync has promised is there after a power cut at any moment, and fsck finds nothing", () =>
  Effect.gen(function*() {
    const report = yield* runPowerCutTest(yield* storeFolder, { seed: 7, lives: 3, clients: 3, operations: 120, moments: 100 })
    assert.deepStrictEqual(report.failures, [])
    assert.isAbove(report.cuts, 40)
    assert.isAbove(report.promises, report.cuts)
  }), { timeout: 240_000 })
