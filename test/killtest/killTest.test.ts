/** The short form of `npm run kill-test`. */
import { assert, it } from "@effect/vitest"
import { checkStore } from "@bickford/backends"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { storeFolder } from "../mount/keeper.ts"
import { keepStore } from "./kept.ts"
import { runKillTest } from "./run.ts"

const kills = 20

it.live(`git, tar, npm, SQLite and eight processes notice nothing of ${kills} deaths of their server`, () =>
  Effect.gen(function* () {
    const folder = yield* storeFolder
    const store = join(folder, "store")
    const { unmount, victim } = yield* keepStore(store)
    const report = yield* Effect.promise(() =>
      runKillTest(victim, folder, { kills, calls: 8000, commits: 100, files: 1000, packages: 3, between: [50, 500] })
    )
    assert.deepStrictEqual(report.failures, [])
    assert.strictEqual(report.kills, kills)
    assert.strictEqual(report.rounds.size, 5)
    yield* unmount
    assert.deepStrictEqual((yield* checkStore(store)).problems, [])
  })
)
