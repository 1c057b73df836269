/** A restart whose new code loads, and fails only once the connection is its own. */
import { assert, describe, it } from "@effect/vitest"
import { findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ask } from "../../packages/daemon/src/control/client.ts"
import { commandsOn } from "../mount/inProcess.ts"
import { mountConfig, mountpoints, startDaemon, until, workFolder } from "./daemon.ts"

describe("a durable backend whose init fails after a restart", () => {
  it.live("is started again and again; the mount stays, calls wait, and go on when it is mended", () =>
    Effect.gen(function* () {
      const folder = yield* workFolder
      const [place = ""] = yield* mountpoints(1)
      const module = join(folder, "own.mjs")
      const flag = join(folder, "broken")
      writeFileSync(
        module,
        `import { sqlite } from ${JSON.stringify(import.meta.resolve("@bickford/backends"))}
        import * as Effect from ${JSON.stringify(import.meta.resolve("effect/Effect"))}
        import { existsSync } from "node:fs"
        export const backend = Effect.map(sqlite(${JSON.stringify(join(folder, "store"))}), (store) => ({
          ...store,
          init: (...given) => existsSync(${JSON.stringify(flag)}) ? Effect.fail(new Error("not agreed")) : store.init(...given)
        }))`
      )
      const restart = { intensity: 1000, period: 60_000, backoff: { initial: 50, max: 100 } }
      const daemon = yield* startDaemon(folder, [mountConfig("data", `module:${module}`, place, { restart })])
      const { pid } = yield* Effect.promise(() => daemon.reaches("data", "running"))
      const { run } = commandsOn(place)
      yield* run("sh", ["-c", 'echo precious >"$1"', "sh", join(place, "file")])
      writeFileSync(flag, "")
      const restarted = ask(daemon.socket, "POST", "/mounts/data/restart")
      const answer = yield* Effect.forkChild(Effect.result(restarted), { startImmediately: true })
      const failing = yield* Effect.promise(() =>
        until(async () => {
          const { lastCause, restarts } = await daemon.mount("data")
          return restarts > 1 && lastCause?.includes("not agreed") === true ? lastCause : undefined
        }, "a failure of the new code in the status")
      )
      assert.include(failing, "not agreed")
      assert.isDefined(findMount(place))
      const read = yield* Effect.forkChild(run("cat", [join(place, "file")]), { startImmediately: true })
      rmSync(flag)
      const after = yield* Effect.promise(() => daemon.reaches("data", "running"))
      assert.notStrictEqual(after.pid, pid)
      assert.strictEqual(yield* Fiber.join(read), "precious\n")
      assert.strictEqual((yield* Fiber.join(answer))._tag, "Success")
    })
  )
})
