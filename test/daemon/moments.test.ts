/** Workers that end at their worst moments, and how: the calls of programs do not notice. */
import { assert, describe, it } from "@effect/vitest"
import { checkStore } from "@bickford/backends"
import { findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { readdirSync } from "node:fs"
import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { commandsOn } from "../mount/inProcess.ts"
import { mountConfig, mountpoints, startDaemon, until, workFolder } from "./daemon.ts"

const library = (name: string): string => JSON.stringify(import.meta.resolve(name))

/** A store whose backend is changed by `changes`: fields of an object, where `store` is the backend and `folder` a place for marks. */
const keepChanged = Effect.fnUntraced(function* (changes: string, other: Parameters<typeof mountConfig>[3] = {}) {
  const folder = yield* workFolder
  const [mountpoint = ""] = yield* mountpoints(1)
  const module = join(folder, "changed.mjs")
  const text = `
    import { sqlite } from ${library("@bickford/backends")}
    import * as Effect from ${library("effect/Effect")}
    import { readdirSync, writeFileSync } from "node:fs"
    const folder = ${JSON.stringify(folder)}
    const deaths = () => readdirSync(folder).filter((name) => name.startsWith("death-")).length
    const die = () => {
      writeFileSync(folder + "/death-" + deaths(), "")
      process.kill(process.pid, "SIGKILL")
    }
    export const backend = Effect.map(sqlite(folder + "/store"), (store) => ({ ...store, ${changes} }))
  `
  yield* Effect.promise(() => writeFile(module, text))
  const daemon = yield* startDaemon(folder, [mountConfig("data", `module:${module}`, mountpoint, other)])
  // It answers before everything is mounted; what is done until then is done to the folder below.
  yield* Effect.promise(() => until(async () => findMount(mountpoint), "the mount"))
  return {
    daemon,
    mountpoint,
    ...commandsOn(mountpoint),
    deaths: () => readdirSync(folder).filter((name) => name.startsWith("death-")).length,
    check: Effect.gen(function* () {
      yield* Effect.promise(daemon.stop)
      assert.deepStrictEqual((yield* checkStore(join(folder, "store"))).problems, [])
    })
  }
})

describe("a worker", () => {
  it.live("that dies twice with INIT in hand, which nobody knows of", () =>
    Effect.gen(function* () {
      const { check, daemon, deaths, mountpoint, run } = yield* keepChanged(
        "init: (agreed, connection) => deaths() < 2 ? Effect.sync(die) : store.init(agreed, connection)"
      )
      // Begins before there is an agreement, and is answered by the third worker.
      assert.strictEqual(yield* run("sh", ["-c", 'echo text > "$0/file" && cat "$0/file"', mountpoint]), "text\n")
      assert.strictEqual(deaths(), 2)
      assert.strictEqual((yield* Effect.promise(() => daemon.mount("data"))).restarts, 2)
      yield* check
    })
  )

  it.live("that dies with a hundred requests in flight", () =>
    Effect.gen(function* () {
      const { check, deaths, mountpoint, run } = yield* keepChanged(`
        mkdir: (() => {
          let waiting = 0
          return (request, context) => request.name !== "in" || deaths() > 0
            ? store.mkdir(request, context)
            : Effect.suspend(() => ++waiting === 100 ? Effect.as(Effect.sync(die), undefined) : Effect.never)
        })()`)
      yield* run("sh", ["-c", 'cd "$0" && mkdir $(seq 100)', mountpoint])
      yield* run("sh", ["-c", 'cd "$0" && seq 100 | xargs -P 100 -I {} mkdir {}/in', mountpoint])
      assert.strictEqual(deaths(), 1)
      assert.strictEqual((yield* run("find", [mountpoint, "-name", "in"])).split("\n").length, 101)
      yield* check
    })
  )

  it.live("that is killed while it answers reads of 1 MiB", () =>
    Effect.gen(function* () {
      const { check, daemon, mountpoint, run } = yield* keepChanged("", {
        restart: { intensity: 100, period: 60_000, backoff: { initial: 1, max: 1 } }
      })
      yield* Effect.promise(() => daemon.reaches("data", "running"))
      const file = join(mountpoint, "file")
      yield* run("dd", ["if=/dev/urandom", `of=${file}`, "bs=1M", "count=24"])
      const sum = 'dd if="$0" bs=1M iflag=direct 2>/dev/null | sha1sum'
      const expected = yield* run("sh", ["-c", sum, file])
      const enough = `${mountpoint}.enough`
      yield* Effect.addFinalizer(() => Effect.promise(() => rm(enough, { force: true })))
      const reading = yield* Effect.forkChild(
        run("sh", ["-c", `until [ -e "$1" ]; do ${sum} || exit 1; done`, file, enough]),
        { startImmediately: true }
      )
      for (let kills = 0; kills < 8; kills++) {
        const { pid = 0 } = yield* Effect.promise(() => daemon.reaches("data", "running"))
        // Somewhere in its reads; where, is chance.
        yield* Effect.sleep(Math.random() * 40)
        process.kill(pid, "SIGKILL")
        yield* Effect.promise(() =>
          until(async () => ((await daemon.mount("data")).pid !== pid ? true : undefined), "another worker")
        )
      }
      yield* Effect.promise(() => writeFile(enough, ""))
      const sums = new Set((yield* Fiber.join(reading)).split("\n"))
      assert.deepStrictEqual(sums, new Set([expected.trimEnd(), ""]))
      yield* check
    })
  )

  it.live("that runs out of memory is replaced, and the call that did it is answered by the next", () =>
    Effect.gen(function* () {
      const { check, daemon, deaths, mountpoint, run } = yield* keepChanged(
        `
        mkdir: (request, context) => {
          if (request.name !== "eats" || deaths() > 0) return store.mkdir(request, context)
          writeFileSync(folder + "/death-0", "")
          const eaten = []
          for (;;) eaten.push(new Array(10_000).fill(eaten.length + 0.5))
        }`,
        { limits: { memory: 48 } }
      )
      yield* Effect.promise(() => daemon.reaches("data", "running"))
      yield* run("mkdir", [join(mountpoint, "eats")])
      assert.strictEqual(deaths(), 1)
      const { lastCause, restarts } = yield* Effect.promise(() => daemon.mount("data"))
      assert.strictEqual(restarts, 1)
      assert.match(lastCause ?? "", /SIGABRT|SIGTRAP|SIGILL|status 13\d/)
      yield* check
    })
  )
})
