/** A branch of a directory kept by the daemon: its worker is killed, and no call fails. */
import { assert, describe, it } from "@effect/vitest"
import { findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { commandsOn } from "../mount/inProcess.ts"
import { bickford } from "../mount/bickford.ts"
import { mountConfig, mountpoints, startDaemon, until, workFolder } from "./daemon.ts"

/** A base with files, and a daemon that serves a branch of it there. */
const begin = Effect.fnUntraced(function* (branch: string) {
  const folder = yield* workFolder
  const [base = ""] = yield* mountpoints(1)
  const store = join(folder, "branches")
  yield* Effect.promise(async () => {
    await mkdir(join(base, "src"))
    for (let n = 0; n < 50; n++) await writeFile(join(base, `src/file${n}`), `base ${n}\n`)
  })
  const options = [`branch=${branch}`, `store=${store}`]
  const daemon = yield* startDaemon(folder, [mountConfig("app", `workspace:${base}`, base, { options })])
  yield* Effect.promise(() => daemon.reaches("app", "running"))
  const killWorker = Effect.promise(async () => {
    const { pid } = await daemon.reaches("app", "running")
    if (pid !== undefined) process.kill(pid, "SIGKILL")
    await until(async () => {
      const now = await daemon.mount("app")
      return now.state === "running" && now.pid !== pid ? true : undefined
    }, `another worker than ${pid}`)
  })
  return { base, daemon, killWorker, store, ...commandsOn(base) }
})

/** Reads, changes, removes and makes files, of the base and of the branch; ends at the first call that fails. */
const work = `
  set -e
  for n in $(seq 0 49); do
    test "$(cat src/file$n)" = "base $n"
    echo changed >> src/file$n
    test "$(tail -1 src/file$n)" = changed
    mv src/file$n src/moved$n
    ln src/moved$n src/link$n
    chmod 600 src/link$n
    mkdir src/made$n
    echo new > src/made$n/new
    test "$(stat -c %a src/moved$n)" = 600
  done
  ls src | wc -l
`

describe("a branch in the daemon", () => {
  it.live("outlives its worker: no call fails, and the base stays as it was", () =>
    Effect.gen(function* () {
      const { base, daemon, killWorker, run, store } = yield* begin("try-1")
      const device = findMount(base)?.device
      const working = yield* Effect.forkChild(run("sh", ["-c", work], { cwd: base }))
      for (let kills = 0; kills < 3; kills++) yield* killWorker
      // Another worker takes the branch over from one that lives.
      yield* Effect.promise(() => daemon.post("/mounts/app/restart"))
      yield* killWorker
      assert.strictEqual((yield* Fiber.join(working)).trim(), "150")
      yield* killWorker
      assert.strictEqual((yield* run("sh", ["-c", "cat src/link7"], { cwd: base })).trim(), "base 7\nchanged")
      assert.strictEqual(findMount(base)?.device, device, "the same connection")
      assert.deepStrictEqual(yield* Effect.promise(daemon.stop), { status: 0, signal: null })
      yield* Effect.promise(async () => {
        assert.lengthOf(await readdir(join(base, "src")), 50)
        assert.strictEqual(await readFile(join(base, "src/file7"), "utf8"), "base 7\n")
        const diff = await bickford(["diff", "--store", store, "-b", "try-1", base])
        const letters = diff.stdout.split("\n").map((line) => line.slice(0, 1))
        assert.lengthOf(
          letters.filter((letter) => letter === "R"),
          50,
          diff.stderr
        )
      })
    })
  )

  it.live("records each change once, however often its worker is killed", () =>
    Effect.gen(function* () {
      const { base, daemon, killWorker, run, store } = yield* begin("main")
      const script = "set -e; for n in $(seq 200); do mkdir d$n; done"
      const working = yield* Effect.forkChild(run("sh", ["-c", script], { cwd: base }))
      for (let kills = 0; kills < 3; kills++) yield* killWorker
      yield* Fiber.join(working)
      assert.deepStrictEqual(yield* Effect.promise(daemon.stop), { status: 0, signal: null })
      const audit = yield* Effect.promise(() => bickford(["audit", "--json", "--store", store, base]))
      const paths = audit.stdout
        .trim()
        .split("\n")
        .map((line): string => JSON.parse(line).path)
      assert.deepStrictEqual(
        paths,
        Array.from({ length: 200 }, (_, n) => `d${n + 1}`)
      )
    })
  )
})
