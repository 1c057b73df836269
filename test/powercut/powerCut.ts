/** The power-cut test: what a store's servers wrote and synced under load is done again up to any moment, and the power goes. */
import { checkStore, sqlite } from "@bickford/backends"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { seededRandom } from "../../packages/backends/src/combinators/seededRandom.ts"
import { makeKernel, rootNode } from "../../packages/backends/test/posix/kernel.ts"
import { ended } from "../mount/processes.ts"
import { type DiskCall, type Fate, makeReplayedDisk, readRecord, watching } from "../preload/disk.ts"
import { recordMounted } from "./mounted.ts"
import { type ClientOperation, type DirectoryState, operationsOf } from "./operations.ts"
import type { PowerCutTest } from "./size.ts"

interface PowerCutReport {
  readonly calls: number
  readonly cuts: number
  /** Promises of fsync that were looked at, over all cuts. */
  readonly promises: number
  readonly failures: ReadonlyArray<string>
}

const load = join(dirname(fileURLToPath(import.meta.url)), "load.ts")

/** Kills a server once the record has grown by so many bytes, if it has not ended by then. */
const killAt = async (server: ChildProcess, record: string, size: number): Promise<void> => {
  while (server.exitCode === null && statSync(record).size < size) await delay(2)
  server.kill("SIGKILL")
}

/** Has servers work on a store by themselves, and returns what they did to the disk. */
const recordServers = async (
  folder: string,
  test: PowerCutTest,
  random: () => number
): Promise<ReadonlyArray<DiskCall>> => {
  const store = join(folder, "store")
  const record = join(folder, "record")
  writeFileSync(record, "")
  const env = await watching(folder, { prefix: store, record })
  for (let life = 0; life < test.lives; life++) {
    const args = [
      "--conditions=development",
      "--disable-warning=ExperimentalWarning",
      load,
      store,
      `${test.seed * 10 + life}`,
      `${test.clients}`,
      `${test.operations}`
    ]
    const server = spawn(process.execPath, args, { env, stdio: ["ignore", "inherit", "inherit"] })
    const last = life === test.lives - 1
    if (!last) await killAt(server, record, statSync(record).size + 200_000 + random() * 1_500_000)
    const { status } = await ended(server)
    if (last && status !== 0) throw new Error(`the load ended with ${status}`)
  }
  return readRecord(record, test.lives - 1)
}

/** How far a client has come: the last operation that an fsync has made permanent, and the last one that it has begun. */
interface Progress {
  safe: number
  begun: number
}

const note = (progress: Map<string, Progress>, text: string): void => {
  const [what, directory = "", n] = text.split(" ")
  const of = progress.get(directory) ?? { safe: -1, begun: -1 }
  progress.set(directory, of)
  if (what === "safe") of.safe = Number(n)
  else of.begun = Number(n)
}

const same = (a: DirectoryState, b: DirectoryState): boolean =>
  a === undefined || b === undefined
    ? a === b
    : a.size === b.size && [...a].every(([name, content]) => b.get(name) === content)

/** Whether a directory is as after a part of an append. The kernel may send one write(2) as several WRITE requests, each of which is done or not. */
const isWithinAppend = (
  found: DirectoryState,
  { after, kind, name }: ClientOperation,
  before: DirectoryState
): boolean => {
  if (kind !== "append" || before === undefined || after === undefined) return false
  const content = found?.get(name)
  if (content === undefined || !content.startsWith(before.get(name) ?? "") || !after.get(name)?.startsWith(content))
    return false
  return same(new Map(before).set(name, content), found)
}

/** What is in each directory of a store. */
const readDirectories = (store: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const kernel = makeKernel(yield* sqlite(store))
      const found = new Map<string, Map<string, string>>()
      for (const { name: directory } of yield* kernel.readdir(rootNode)) {
        if (String(directory).startsWith(".")) continue
        const { nodeid } = yield* kernel.lookup(rootNode, directory)
        const files = new Map<string, string>()
        for (const { name } of yield* kernel.readdir(nodeid)) {
          if (String(name).startsWith(".")) continue
          const file = yield* kernel.lookup(nodeid, name)
          files.set(String(name), Buffer.from(yield* kernel.read(file.nodeid, 0, 1 << 24)).toString("latin1"))
        }
        found.set(String(directory), files)
      }
      return found
    })
  )

/** How far the clients have come, and what they were to do. */
interface Clients {
  readonly progress: ReadonlyMap<string, Progress>
  readonly operationsIn: (directory: string) => ReadonlyArray<ClientOperation>
  readonly splitsAppends: boolean
}

/** Whether a directory is as after one of the operations that it may be after, or within one. */
const isPossible = (
  found: DirectoryState,
  operations: ReadonlyArray<ClientOperation>,
  { begun, safe }: Progress,
  splitsAppends: boolean
): boolean => {
  for (let n = safe; n <= begun; n++) {
    const operation = operations[n]
    if (same(operation?.after, found)) return true
    if (
      splitsAppends &&
      n > safe &&
      operation !== undefined &&
      isWithinAppend(found, operation, operations[n - 1]?.after)
    )
      return true
  }
  return false
}

/** What is wrong with the store that a power cut has left. */
const look = Effect.fnUntraced(function* (
  place: string,
  files: ReadonlyMap<string, Uint8Array>,
  { operationsIn, progress, splitsAppends }: Clients
) {
  mkdirSync(place)
  for (const [path, content] of files) writeFileSync(join(place, basename(path)), content, { mode: 0o600 })
  const store = join(place, "store")
  const checked = yield* Effect.result(checkStore(store))
  const wrong =
    checked._tag === "Failure" ? [checked.failure.message] : checked.success.problems.map(({ what }) => what)
  const opened = yield* Effect.result(readDirectories(store))
  if (opened._tag === "Failure") wrong.push("message" in opened.failure ? opened.failure.message : "it cannot be read")
  else {
    for (const [directory, of] of progress) {
      if (isPossible(opened.success.get(directory), operationsIn(directory), of, splitsAppends)) continue
      wrong.push(`directory ${directory} is as after none of the operations ${of.safe} to ${of.begun}`)
    }
  }
  rmSync(place, { recursive: true })
  return wrong
})

const fates: ReadonlyArray<Fate> = ["lost", "done", "torn", "torn"]

/** Clients at work on a store. */
interface Load {
  /** Has them work on a store in a directory, and returns what its servers did to the disk. */
  readonly record: (
    folder: string,
    test: PowerCutTest,
    random: () => number
  ) => Effect.Effect<ReadonlyArray<DiskCall>, unknown, Scope.Scope>
  /** An append may reach the filesystem as several writes. */
  readonly splitsAppends: boolean
}

/** Servers that are their own clients, by the fake kernel. */
export const serversLoad: Load = {
  record: (folder, test, random) => Effect.promise(() => recordServers(folder, test, random)),
  splitsAppends: false
}

/** A mounted store, whose server is killed and followed by another, and processes that write to it. */
export const mountedLoad: Load = { record: recordMounted, splitsAppends: true }

/** Runs the test in `folder`, which is there and empty. */
export const runPowerCutTest = Effect.fnUntraced(function* (
  folder: string,
  test: PowerCutTest,
  { record, splitsAppends }: Load
) {
  const random = seededRandom(test.seed)
  const calls = yield* record(folder, test, random)
  const disk = makeReplayedDisk()
  const progress = new Map<string, Progress>()
  const operations = new Map<string, ReadonlyArray<ClientOperation>>()
  const operationsIn = (directory: string): ReadonlyArray<ClientOperation> => {
    const [seed, client] = directory.split("-").map(Number)
    const of = operations.get(directory) ?? operationsOf((seed ?? 0) * 100 + (client ?? 0), test.operations)
    operations.set(directory, of)
    return of
  }
  const failures: Array<string> = []
  let cuts = 0
  let promises = 0
  const share = test.moments === 0 ? 1 : test.moments / calls.length
  for (const [at, call] of calls.entries()) {
    disk.apply(call)
    if (call.kind === "mark") note(progress, call.path)
    const promised = [...progress.values()].filter(({ safe }) => safe >= 0).length
    // Before the first promise there need not be a store.
    if (promised === 0 || random() >= share) continue
    const fate = fates[cuts % fates.length] ?? "lost"
    cuts++
    promises += promised
    const wrong = yield* look(join(folder, "cut"), disk.afterPowerCut(fate, random), {
      progress,
      operationsIn,
      splitsAppends
    })
    for (const each of wrong) failures.push(`after call ${at} of ${calls.length}, what was not synced ${fate}: ${each}`)
  }
  const report: PowerCutReport = { calls: calls.length, cuts, promises, failures }
  return report
})
