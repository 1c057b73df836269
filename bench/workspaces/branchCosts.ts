/** What a branch costs, whatever the base's size: fork, diff, commit, and a lookup on a fork of many forks. */
import { openWorkspace } from "@bickford/backends"
import type { LookupRequest } from "@bickford/protocol"
import { requestContext } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { table } from "../report.ts"
import { median } from "../statistics.ts"

const filesPerDirectory = 1000
const changedFiles = 10

/** What we ask. `diffRatio`: of the time of a diff over the largest base to that over the smallest, of as many changes. */
const bars = { forkMicroseconds: 350, diffRatio: 1.5, depthRatio: 1.3, commitSeconds: 2 }

const verdict = (isReached: boolean): string => {
  if (!isReached) process.exitCode = 1
  return isReached ? "reached" : "missed"
}

/** Makes so many files below a directory, of 100 bytes each. */
const fill = (base: string, files: number): void => {
  const content = "x".repeat(100)
  for (let n = 0; n < files; n++) {
    const directory = join(base, `d${Math.floor(n / filesPerDirectory)}`)
    if (n % filesPerDirectory === 0) mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, `f${n % filesPerDirectory}`), content)
  }
}

type Workspace = Effect.Success<ReturnType<typeof openWorkspace>>
type Served = Effect.Success<ReturnType<Workspace["serve"]>>

let unique = 0
const header = () => ({ unique: (unique += 2), nodeid: 1, uid: 0, gid: 0, pid: process.pid })

const lookup = (served: Served, nodeid: LookupRequest["nodeid"], name: string) => {
  const request = { op: "lookup" as const, ...header(), nodeid, name }
  if (served.lookup === undefined) throw new Error("there is no lookup")
  return served.lookup(request, requestContext({ unique: request.unique }))
}

/** Changes the first files of a branch, by a byte each. */
const change = (workspace: Workspace, branch: string, files: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const served = yield* workspace.serve(branch)
      for (let n = 0; n < files; n++) {
        const directory = yield* lookup(served, 1, `d${Math.floor(n / filesPerDirectory)}`)
        const { nodeid } = yield* lookup(served, directory.nodeid, `f${n % filesPerDirectory}`)
        const write = {
          op: "write" as const,
          ...header(),
          nodeid,
          fh: 0,
          offset: 0,
          size: 1,
          writeFlags: 0,
          lockOwner: 0,
          flags: 0,
          data: Buffer.from("y")
        }
        yield* served.write?.(write, requestContext({ unique: write.unique })) ?? Effect.void
        yield* served.commit ?? Effect.void
      }
    })
  )

const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const start = performance.now()
    return Effect.map(effect, () => performance.now() - start)
  })

/** Milliseconds, medians: to fork a branch that has changed some files, and to tell its changes. */
const forkAndDiff = (folder: string, files: number) =>
  Effect.gen(function* () {
    const base = join(folder, `base${files}`)
    fill(base, files)
    const workspace = yield* openWorkspace(base, { store: join(folder, `branches${files}`) })
    yield* change(workspace, "main", changedFiles)
    return yield* Effect.scoped(
      Effect.gen(function* () {
        const branch = yield* workspace.branch("main")
        const forks: Array<number> = []
        for (let n = 0; n < 200; n++) {
          const store = join(workspace.store, `fork${n}.branch`)
          forks.push(yield* timed(branch.fork(store)))
          rmSync(store)
        }
        const diffs: Array<number> = []
        for (let n = 0; n < 200; n++) diffs.push(yield* timed(branch.diff))
        return { files, fork: median(forks), diff: median(diffs), base }
      })
    )
  })

/** Nanoseconds of a lookup on a branch: of every name of a directory of the base. */
const lookups = (served: Served, nodeid: LookupRequest["nodeid"]) =>
  Effect.gen(function* () {
    const start = performance.now()
    for (let n = 0; n < filesPerDirectory; n++) yield* lookup(served, nodeid, `f${n}`)
    return ((performance.now() - start) / filesPerDirectory) * 1e6
  })

/** Rounds of both branches in turn, so that what slows the machine slows both; the first ones warm up. */
const compareLookups = (workspace: Workspace, flatBranch: string, deepBranch: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const flat = yield* workspace.serve(flatBranch)
      const deep = yield* workspace.serve(deepBranch)
      const flatDirectory = yield* lookup(flat, 1, "d0")
      const deepDirectory = yield* lookup(deep, 1, "d0")
      const rounds: Array<{ readonly flat: number; readonly deep: number }> = []
      for (let round = 0; round < 60; round++)
        rounds.push({
          flat: yield* lookups(flat, flatDirectory.nodeid),
          deep: yield* lookups(deep, deepDirectory.nodeid)
        })
      const warm = rounds.slice(20)
      return {
        flat: median(warm.map((round) => round.flat)),
        deep: median(warm.map((round) => round.deep)),
        ratio: median(warm.map((round) => round.deep / round.flat))
      }
    })
  )

/** A lookup on a branch, and on one that is a fork of a fork, a hundred times, of which each has changed a file. */
const depth = (folder: string) =>
  Effect.gen(function* () {
    const base = join(folder, "deep")
    fill(base, filesPerDirectory)
    const workspace = yield* openWorkspace(base, { store: join(folder, "deepBranches") })
    yield* change(workspace, "b1", 1)
    for (let n = 1; n < 100; n++) {
      yield* workspace.fork(`b${n}`, `b${n + 1}`)
      yield* change(workspace, `b${n + 1}`, n + 1)
    }
    // The same changes, on a branch without ancestors: only the depth differs.
    yield* change(workspace, "flat", 100)
    return yield* compareLookups(workspace, "flat", "b100")
  })

const commit = (folder: string) =>
  Effect.gen(function* () {
    const base = join(folder, "large")
    fill(base, 100_000)
    const workspace = yield* openWorkspace(base, { store: join(folder, "largeBranches") })
    yield* change(workspace, "main", 1000)
    return yield* Effect.scoped(
      Effect.gen(function* () {
        const branch = yield* workspace.branch("main")
        return (yield* timed(branch.commit())) / 1000
      })
    )
  })

/** Measures in a folder on a tmpfs; prints what each came to beside what we ask. */
export const measureBranchCosts = (folder: string, sizes: ReadonlyArray<number>): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    const rows: Array<ReadonlyArray<string>> = []
    const diffTimes: Array<number> = []
    for (const files of sizes) {
      const { base, diff, fork } = yield* forkAndDiff(folder, files)
      const us = fork * 1000
      diffTimes.push(diff)
      rows.push([
        files.toLocaleString("en"),
        `${us.toFixed(0)} us, ${verdict(us < bars.forkMicroseconds)}`,
        `${diff.toFixed(2)} ms`
      ])
      rmSync(base, { recursive: true })
    }
    console.log(
      table([["base files", `fork (asked: ${bars.forkMicroseconds} us)`, `diff of ${changedFiles} changes`], ...rows])
    )
    const diffRatio = (diffTimes.at(-1) ?? 1) / (diffTimes[0] ?? 1)
    console.log(
      `diff over the largest base against the smallest: ${diffRatio.toFixed(2)} (${verdict(diffRatio <= bars.diffRatio)}: ${bars.diffRatio})`
    )
    const { deep, flat, ratio } = yield* depth(folder)
    console.log(
      `lookup: ${flat.toFixed(0)} ns, on the 100th fork of a fork ${deep.toFixed(0)} ns: ${ratio.toFixed(2)} (${verdict(ratio <= bars.depthRatio)}: ${bars.depthRatio})`
    )
    const seconds = yield* commit(folder)
    console.log(
      `commit of 1,000 changed files in a base of 100,000: ${seconds.toFixed(2)} s (${verdict(seconds < bars.commitSeconds)}: ${bars.commitSeconds})`
    )
  })
