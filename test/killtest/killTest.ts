/**
 * `npm run kill-test -- [--kills N] [--workspace | --postgres]`: git, tar, npm, SQLite and eight processes that change names
 * work on the mount of a store, or of a branch, while its server is killed with SIGKILL, N times (200). Ends with 1 when
 * any of them has noticed.
 */
import { branchFile, checkPostgres, checkStore, openBranch } from "@bickford/backends"
import { printable } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { startCluster } from "../../packages/backends/test/postgres/cluster.ts"
import { keepBranch, keepDatabase, keepStore } from "./kept.ts"
import { type Report, runKillTest } from "./run.ts"

/** Problems that are printed one by one: a load that has not come to its end leaves all of its files. */
const problemsMax = 20

const lines = (report: Report, problems: ReadonlyArray<string>): ReadonlyArray<string> => [
  `${report.kills} kills in ${report.seconds.toFixed(0)} s`,
  ...Array.from(report.rounds, ([name, rounds]) => `${name.padEnd(12)} done ${rounds} times`),
  ...Array.from(report.slowest, ([what, milliseconds]) => `${what} took ${milliseconds.toFixed(0)} ms at the most`),
  ...report.failures.map((failure) => `FAILED ${failure}`),
  ...problems.slice(0, problemsMax).map((problem) => `LEFT ${problem}`),
  ...(problems.length > problemsMax ? [`LEFT ${problems.length - problemsMax} more`] : []),
  problems.length === 0 ? "nothing is wrong with what is left" : ""
]

/** What is wrong with a store, by `bickford fsck`. */
const storeProblems = (store: string) =>
  Effect.map(checkStore(store), ({ problems }) => problems.map(({ what }) => what))

/** What a branch holds though every program has removed what it made. */
const branchProblems = (base: string, branches: string) =>
  Effect.flatMap(openBranch(base, branchFile(branches, "main")), ({ diff }) =>
    Effect.map(diff, (changes) =>
      changes.flatMap(({ kind, path }) =>
        path === "." ? [] : [`${kind} ${printable(typeof path === "string" ? path : Buffer.from(path).toString())}`]
      )
    )
  )

/** The URL of a store on a database server of its own. */
const newDatabaseStore = Effect.acquireRelease(Effect.promise(startCluster), ({ remove }) => Effect.sync(remove)).pipe(
  Effect.map(({ newStore }) => newStore())
)

const program = Effect.gen(function* () {
  const { values } = parseArgs({
    options: {
      kills: { type: "string", default: "200" },
      workspace: { type: "boolean", default: false },
      postgres: { type: "boolean", default: false }
    }
  })
  const kills = Number(values.kills)
  if (!Number.isSafeInteger(kills) || kills < 0)
    return yield* Effect.die(new Error(`--kills takes a whole number, not ${values.kills}`))
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "bickford-kill-test-"))),
    (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
  )
  const store = join(folder, "store")
  const base = join(folder, "base")
  yield* Effect.promise(() => mkdir(base))
  const url = yield* values.postgres ? newDatabaseStore : Effect.succeed("")
  const { unmount, victim } = yield* values.postgres
    ? keepDatabase(url)
    : values.workspace
      ? keepBranch(base, store)
      : keepStore(store)
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
  const problems = yield* values.postgres
    ? Effect.map(checkPostgres(url), (found) => found.problems)
    : values.workspace
      ? branchProblems(base, store)
      : storeProblems(store)
  for (const line of lines(report, problems)) console.log(line)
  const longest = Math.max(...report.slowest.values())
  return report.failures.length === 0 && problems.length === 0 && longest < 5000
})

process.exitCode = (await Effect.runPromise(Effect.scoped(program))) ? 0 : 1
