/** A store on a disk that fails: what was not made permanent is never said to be. */
import { assert, describe, it } from "@effect/vitest"
import { checkStore, sqlite } from "@bickford/backends"
import * as Effect from "effect/Effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { makeKernel, rootNode } from "../../packages/backends/test/posix/kernel.ts"
import { storeFolder } from "../mount/keeper.ts"
import { root } from "../mount/bickford.ts"
import { attempt } from "../mount/processes.ts"
import { makeReplayedDisk, readRecord, watching } from "../preload/disk.ts"

type Step = readonly [string, ...ReadonlyArray<string>]

const program = join(root, "test", "faults", "programs", "storeSteps.ts")

/** Takes the steps in a program of its own; gives what came of them, and what it wrote to stderr. */
const take = Effect.fnUntraced(function* (folder: string, steps: ReadonlyArray<Step>) {
  const store = join(folder, "store")
  const record = join(folder, "record")
  writeFileSync(record, "")
  const env = yield* Effect.promise(() => watching(folder, { prefix: store, fault: join(folder, "fault"), record }))
  const given = join(folder, "steps")
  writeFileSync(given, JSON.stringify(steps))
  const args = ["--conditions=development", "--disable-warning=ExperimentalWarning", program, store, given]
  const { status, stderr, stdout } = yield* Effect.promise(() => attempt(process.execPath, args, { env }))
  assert.strictEqual(status, 0, stderr)
  const outcomes: ReadonlyArray<unknown> = JSON.parse(stdout)
  return { outcomes, stderr, store, record }
})

/** Lets the power go at the end of a record; the store as it is found then. Names that were marked must be there. */
const cutPower = Effect.fnUntraced(function* (folder: string, record: string) {
  const disk = makeReplayedDisk()
  const promised: Array<string> = []
  for (const call of readRecord(record)) {
    disk.apply(call)
    if (call.kind === "mark") promised.push(call.path)
  }
  const place = join(folder, "cut")
  mkdirSync(place)
  for (const [path, content] of disk.afterPowerCut("lost", () => 0)) writeFileSync(join(place, basename(path)), content)
  const store = join(place, "store")
  assert.deepStrictEqual((yield* checkStore(store)).problems, [])
  const kernel = makeKernel(yield* sqlite(store))
  const names = new Set((yield* kernel.readdir(rootNode)).map(({ name }) => String(name)))
  return { promised: promised.length, lost: promised.filter((name) => !names.has(name)) }
})

const EIO = 5
const ENOSPC = 28

describe("a disk that fails", () => {
  it.live(
    "an fsync: nothing is acknowledged until all that was committed is safe; the store is read-only meanwhile, and says why",
    () =>
      Effect.gen(function* () {
        const { outcomes, stderr, store } = yield* take(yield* storeFolder, [
          ["create", "a"],
          ["append", "a", "one "],
          ["fsync", "a"],
          ["append", "a", "two "],
          ["fault", `fsync ${EIO} -wal`],
          ["fsync", "a"],
          ["append", "a", "three "],
          ["mkdir", "d"],
          ["fsync", "a"],
          ["read", "a"],
          ["well"],
          ["fsync", "a"],
          ["append", "a", "four "],
          ["fsync", "a"],
          ["read", "a"],
          ["list"]
        ])
        assert.deepStrictEqual(outcomes, [
          "ok",
          "ok",
          "ok",
          "ok",
          "ok",
          "EIO",
          "EROFS",
          "EROFS",
          "EIO",
          "one two ",
          "ok",
          "ok",
          "ok",
          "ok",
          "one two four ",
          ["a"]
        ])
        assert.match(stderr, /store: fsync of its log failed \(EIO.*\); the store is read-only/)
        assert.match(stderr, /all that was committed is safe again/)
        assert.deepStrictEqual((yield* checkStore(store)).problems, [])
      })
  )

  it.live("an fsync once: what later fsyncs promise is there after a power cut", () =>
    Effect.gen(function* () {
      const folder = yield* storeFolder
      const { outcomes, record } = yield* take(folder, [
        ["safe", "before", "5"],
        ["create", "a"],
        ["append", "a", "lost?"],
        ["fault", `fsync ${EIO} -wal once`],
        ["fsync", "a"],
        ["safe", "later", "30"]
      ])
      assert.deepStrictEqual(outcomes, ["ok", "ok", "ok", "ok", "EIO", "ok"])
      assert.deepStrictEqual(yield* cutPower(folder, record), { promised: 35, lost: [] })
    })
  )

  for (const suffix of ["-wal", "store"]) {
    it.live(`an fsync of ...${suffix}, once, while a long log is copied into the store`, () =>
      Effect.gen(function* () {
        const folder = yield* storeFolder
        const large = "x".repeat(60_000)
        const { outcomes, record, stderr } = yield* take(folder, [
          ["safe", "before", "5"],
          ["create", "large"],
          ["fault", `fsync ${EIO} ${suffix} once`],
          ...Array.from({ length: 100 }, (): Step => ["append", "large", large]),
          ["safe", "later", "20"]
        ])
        // The call at which it struck, and none else.
        assert.strictEqual(outcomes.filter((each) => each === "EIO").length, 1, JSON.stringify(outcomes))
        assert.strictEqual(outcomes.filter((each) => each === "ok").length, outcomes.length - 1)
        assert.match(stderr, /its log cannot be copied into it/)
        assert.deepStrictEqual(yield* cutPower(folder, record), { promised: 25, lost: [] })
      })
    )
  }

  it.live(
    "no room: names are refused before removals are, with a long log too, and all is well when there is room",
    () =>
      Effect.gen(function* () {
        const { outcomes, record, stderr, store } = yield* take(yield* storeFolder, [
          ["safe", "before", "20"],
          ["fill", "v", "1500"],
          ["fault", `grow ${ENOSPC} .`],
          ["fill", "x", "100000"],
          ["create", "one more"],
          ["removeAll"],
          ["list"],
          ["create", "in what was free"],
          ["fill", "y", "100000"],
          ["removeAll"],
          ["list"],
          ["well"],
          ["create", "a"],
          ["append", "a", "text"],
          ["fsync", "a"],
          ["read", "a"]
        ])
        assert.deepStrictEqual(
          outcomes,
          ["ok", "ok", "ok", "ENOSPC", "ENOSPC", "ok", [], "ok", "ENOSPC", "ok", [], "ok", "ok", "ok", "ok", "text"],
          stderr
        )
        assert.strictEqual(stderr, "")
        assert.deepStrictEqual((yield* checkStore(store)).problems, [])
        assert.isAbove(readRecord(record).length, 0)
      })
  )

  it.live("a write: the call fails with EIO and has done nothing, reading goes on, and all is well after", () =>
    Effect.gen(function* () {
      const folder = yield* storeFolder
      const { outcomes, record, store } = yield* take(folder, [
        ["create", "a"],
        ["append", "a", "one "],
        ["fault", `write ${EIO} -wal`],
        ["append", "a", "two "],
        ["mkdir", "d"],
        ["read", "a"],
        ["list"],
        ["well"],
        ["append", "a", "three"],
        ["fsync", "a"],
        ["read", "a"],
        ["mkdir", "d"],
        ["safe", "later", "10"]
      ])
      assert.deepStrictEqual(outcomes, [
        "ok",
        "ok",
        "ok",
        "EIO",
        "EIO",
        "one ",
        ["a"],
        "ok",
        "ok",
        "ok",
        "one three",
        "ok",
        "ok"
      ])
      assert.deepStrictEqual((yield* checkStore(store)).problems, [])
      assert.deepStrictEqual(yield* cutPower(folder, record), { promised: 10, lost: [] })
    })
  )
})
