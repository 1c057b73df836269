/**
 * `npm run kill-test -- [--kills N]`: git, tar, npm, SQLite and eight processes that change names
 * work on a store's mount while its server is killed with SIGKILL, N times (200). Ends with 1 when any of
 * them has noticed.
 */
import { checkStore, type StoreProblem } from "@bickford/backends"
import * as Effect from "effect/Effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { keepStore } from "./kept.ts"
import { type Report, runKillTest } from "./run.ts"

const lines = (report: Report, problems: ReadonlyArray<StoreProblem>): ReadonlyArray<string> => [
  `${report.kills} kills in ${report.seconds.toFixed(0)} s`,
  ...Array.from(report.rounds, ([name, rounds]) => `${name.padEnd(12)} done ${rounds} times`),
  ...Array.from(report.slowest, ([what, milliseconds]) => `${what} took ${milliseconds.toFixed(0)} ms at the most`),
  ...report.failures.map((failure) => `FAILED ${failure}`),
  ...problems.map(({ what }) => `FSCK ${what}`),
  problems.length === 0 ? "bickford fsck finds nothing" : ""
]

const program = Effect.gen(function* () {
  const { values } = parseArgs({ options: { kills: { type: "string", default: "200" } } })
  const kills = Number(values.kills)
  if (!Number.isSafeInteger(kills) || kills < 0)
    return yield* Effect.die(new Error(`--kills takes a whole number, not ${values.kills}`))
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "bickford-kill-test-"))),
    (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
  )
  const store = join(folder, "store")
  const { unmount, victim } = yield* keepStore(store)
  const report = yield* Effect.promise(() =>
    runKillTest(victim, folder, {
      kills,
      calls: 100_000,
      commits: 1100,
      files: 10_000,
      packages: 25,
      between: [50, 600]
    })
  )
  yield* unmount
  const { problems } = yield* checkStore(store)
  for (const line of lines(report, problems)) console.log(line)
  const longest = Math.max(...report.slowest.values())
  return report.failures.length === 0 && problems.length === 0 && longest < 5000
})

process.exitCode = (await Effect.runPromise(Effect.scoped(program))) ? 0 : 1
