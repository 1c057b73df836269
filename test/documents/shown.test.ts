/** What pages show as printed is what the programs print. */
import { assert, it } from "@effect/vitest"
import type { StatusReport } from "@bickford/daemon"
import { FakeKernel } from "@bickford/session/testing"
import { mount } from "bickford"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { recordLine } from "../../packages/bickford/src/cli/commands/audit.ts"
import { frame } from "../../packages/bickford/src/cli/top/frame.ts"
import { callLine } from "../../packages/bickford/src/cli/trace/callLine.ts"
import { file, hello } from "../wire/hello.ts"
import { type Fence, fencesOf, root } from "./documents.ts"

/** What a page shows as printed, in order. */
const shownOn = async (page: string): Promise<ReadonlyArray<Fence>> =>
  fencesOf(await readFile(join(root, page), "utf8")).filter(({ language }) => language === "text")

const words = (line = ""): ReadonlyArray<string> => line.trim().split(/ {2,}/)

it("README.md: bickford top", async () => {
  const [shown] = await shownOn("README.md")
  const operation = { count: 1, errors: 0, microseconds: 0, latencies: { 8: 1 }, p50: 0, p99: 0 }
  const one = {
    name: "data",
    source: "memory:",
    mountpoint: "/data",
    state: "running" as const,
    pid: 7,
    since: 0,
    mountedAt: 0,
    restarts: 0,
    history: [],
    inFlight: 0,
    workerRss: 0,
    nodes: 0,
    handles: 0,
    passthroughFiles: 0,
    requests: 0,
    errors: 0,
    bytesRead: 0,
    bytesWritten: 0,
    operations: { READ: operation }
  }
  const mounts = [one, { ...one, name: "scratch", operations: {} }]
  const report: StatusReport = { version: "1", pid: 1, startedAt: 0, rss: 0, heapUsed: 0, mounts }
  const printed = frame(report, report, 1).split("\n")
  const lines = shown?.content.trimEnd().split("\n") ?? []
  assert.match(lines[0] ?? "", /^bickford \d\S*, process \d+, \d+ MiB, 2 mounts$/)
  for (const at of [2, 7]) assert.deepStrictEqual(words(lines[at]), words(printed[at]))
  for (const at of [3, 4, 8]) assert.lengthOf(words(lines[at]), words(printed[at]).length)
})

it("docs/daemon.md: bickford trace", async () => {
  const [shown] = await shownOn("docs/daemon.md")
  const day = "2026-11-28T12:03:55"
  const calls = [
    { at: `${day}.120Z`, pid: 41233, opcode: "LOOKUP", path: "/src/main.ts", bytes: 144, microseconds: 31 },
    {
      at: `${day}.121Z`,
      pid: 41233,
      opcode: "READ",
      path: "/src/main.ts",
      arguments: { fh: 0, offset: 0, size: 9 },
      bytes: 1210,
      microseconds: 18
    },
    { at: `${day}.125Z`, pid: 41237, opcode: "LOOKUP", path: "/src/main.js", error: "ENOENT", microseconds: 22 }
  ]
  const lines = calls.map((call) => callLine(JSON.stringify(call))?.text)
  assert.strictEqual(shown?.content, `${lines.join("\n").replace("size=9", "size=4096, ...")}\n`)
})

it("docs/workspaces.md: bickford audit", async () => {
  const [shown] = await shownOn("docs/workspaces.md")
  const line = recordLine({
    id: 1,
    time: Date.parse("2026-11-28T06:21:09.412Z"),
    pid: 4711,
    uid: 1000,
    program: "/usr/bin/git",
    op: "rename",
    path: ".git/index.lock",
    detail: { to: ".git/index" }
  })
  assert.strictEqual(shown?.content, `${line}\n`)
})

it("docs/writing-a-filesystem.md: what is told of mistakes", async () => {
  const [slip, answer] = await shownOn("docs/writing-a-filesystem.md")
  // As JavaScript has it: no type holds it back.
  const misspelt = Reflect.apply(mount, undefined, ["mnt", { readir: () => Exit.void }])
  const mistake = await Promise.resolve(misspelt).catch((thrown: unknown) => thrown)
  assert.instanceOf(mistake, Error)
  assert.strictEqual(slip?.content, `${mistake.message}\n`)

  const lines: Array<string> = []
  const log = Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))])
  const operation: string = "lookup"
  const wrong = () => Exit.succeed({ ...file, attr: { ...file.attr, size: "5" } })
  await Effect.runPromise(
    Effect.gen(function* () {
      const { kernel } = yield* FakeKernel.serve(hello({ [operation]: wrong }))
      yield* kernel.init()
      yield* Effect.flip(kernel.call({ op: "lookup", name: "hello" }))
    }).pipe(Effect.scoped, Effect.provide(log))
  )
  assert.include(lines[0]?.replaceAll('\\"', '"'), answer?.content.trimEnd())
})
