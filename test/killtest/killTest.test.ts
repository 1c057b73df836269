/** The short form of `npm run kill-test`. */
import { assert, it } from "@effect/vitest"
import { branchFile, checkPostgres, checkStore, openBranch } from "@bickford/backends"
import * as Effect from "effect/Effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { startCluster } from "../../packages/backends/test/postgres/cluster.ts"
import { storeFolder } from "../mount/keeper.ts"
import { keepBranch, keepDatabase, keepStore } from "./kept.ts"
import { runKillTest } from "./run.ts"

const kills = 20
const sizes = { calls: 8000, commits: 100, files: 1000, packages: 3, between: [50, 500] } as const

it.live(`git, tar, npm, SQLite and eight processes notice nothing of ${kills} deaths of their server`, () =>
  Effect.gen(function* () {
    const folder = yield* storeFolder
    const store = join(folder, "store")
    const { unmount, victim } = yield* keepStore(store)
    const report = yield* Effect.promise(() => runKillTest(victim, folder, { kills, ...sizes }))
    assert.deepStrictEqual(report.failures, [])
    assert.strictEqual(report.kills, kills)
    assert.strictEqual(report.rounds.size, 5)
    yield* unmount
    assert.deepStrictEqual((yield* checkStore(store)).problems, [])
  })
)

it.live(`nor of as many of that of a branch, which holds nothing in the end`, () =>
  Effect.gen(function* () {
    const folder = yield* storeFolder
    const base = join(folder, "base")
    const branches = join(folder, "branches")
    mkdirSync(base)
    const { unmount, victim } = yield* keepBranch(base, branches)
    const report = yield* Effect.promise(() => runKillTest(victim, folder, { kills, ...sizes }))
    assert.deepStrictEqual(report.failures, [])
    assert.strictEqual(report.kills, kills)
    yield* unmount
    const branch = yield* openBranch(base, branchFile(branches, "main"))
    // All that the programs have made they have removed; what is left is the time of the directory.
    assert.deepStrictEqual(
      (yield* branch.diff).filter(({ path }) => path !== "."),
      []
    )
  })
)

it.live(`nor of as many of that of a store in a database`, () =>
  Effect.gen(function* () {
    const folder = yield* storeFolder
    const cluster = yield* Effect.acquireRelease(Effect.promise(startCluster), ({ remove }) => Effect.sync(remove))
    const url = cluster.newStore()
    const { unmount, victim } = yield* keepDatabase(url)
    const report = yield* Effect.promise(() =>
      runKillTest(victim, folder, { kills, ...sizes, calls: 4000, commits: 50, files: 500, packages: 2 })
    )
    assert.deepStrictEqual(report.failures, [])
    assert.strictEqual(report.kills, kills)
    assert.strictEqual(report.rounds.size, 5)
    yield* unmount
    const { problems, sessions } = yield* checkPostgres(url)
    assert.deepStrictEqual({ problems, sessions }, { problems: [], sessions: 0 })
  })
)
