/** A store kept by a daemon, whose workers are killed. */
import * as Effect from "effect/Effect"
import { mountConfig, mountpoints, startDaemon, until, workFolder } from "../daemon/daemon.ts"
import type { Victim } from "./victim.ts"

/** Has a daemon serve a source that keeps what it is given, for the life of the scope; `unmount` ends it before. */
const keep = Effect.fnUntraced(function* (source: string, options: ReadonlyArray<string> = []) {
  const [mountpoint = ""] = yield* mountpoints(1)
  // As many restarts as there are deaths.
  const restart = { intensity: 100_000, period: 60_000, backoff: { initial: 1, max: 10 } }
  const daemon = yield* startDaemon(yield* workFolder, [mountConfig("store", source, mountpoint, { options, restart })])
  yield* Effect.promise(() => daemon.reaches("store", "running"))
  const victim: Victim = {
    mountpoint,
    kill: async () => {
      const { pid } = await daemon.mount("store")
      if (pid === undefined) throw new Error("the daemon has no worker")
      // Every fourth dies while it is being replaced, and its replacement is asked for anew.
      const replaced = Math.random() < 0.25 ? daemon.post("/mounts/store/restart") : undefined
      process.kill(pid, "SIGKILL")
      await replaced
      await until(async () => {
        const now = await daemon.mount("store")
        return now.state === "running" && now.pid !== pid ? true : undefined
      }, "another worker")
    }
  }
  return {
    victim,
    unmount: Effect.promise(async () => {
      const { status } = await daemon.stop()
      if (status !== 0) throw new Error(`the daemon ended with ${status}: ${daemon.log()}`)
    })
  }
})

export const keepStore = (store: string) => keep(`sqlite:${store}`)

/** A branch, kept in the directory `store`, of the directory `base`. */
export const keepBranch = (base: string, store: string) => keep(`workspace:${base}`, [`store=${store}`])

/** A store in a database. */
export const keepDatabase = (url: string) => keep(`postgres:${url}`)
