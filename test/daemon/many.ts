/** Many mounts in one daemon, one of which crashes again and again. */
import * as Effect from "effect/Effect"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { askStatus } from "../../packages/daemon/src/control/client.ts"
import { commandsOn } from "../mount/inProcess.ts"
import { mountConfig, mountpoints, startDaemon, until, workFolder } from "./daemon.ts"

interface ManyReport {
  /** Milliseconds from the daemon's start until all were served. */
  readonly start: number
  /** Milliseconds of the slowest of ten. */
  readonly status: number
  /** MiB: the keeper's before and after, and the sum of what each worker has alone. */
  readonly keeper: readonly [number, number]
  readonly workers: number
  /** Workers of the others that were replaced meanwhile. */
  readonly touched: number
  readonly crashes: number
  /** Milliseconds until all were unmounted. */
  readonly stop: number
}

const mebibytes = (bytes: number): number => Math.round(bytes / 1024 ** 2)

/** The memory that would be free without a process, in bytes. */
const ownMemory = async (pid: number): Promise<number> => {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8")
  const [, kibibytes = "0"] = /^Pss:\s+(\d+) kB$/m.exec(text) ?? []
  return Number(kibibytes) * 1024
}

/** `count` stores; the first one's worker is killed `crashes` times, `pause` milliseconds apart. */
export const keepMany = Effect.fnUntraced(function* (count: number, crashes: number, pause: number) {
  const folder = yield* workFolder
  const places = yield* mountpoints(count)
  const restart = { intensity: 1000, period: 60_000, backoff: { initial: 10, max: 10 } }
  const mounts = places.map((place, n) =>
    mountConfig(`m${n}`, `sqlite:${join(folder, `store${n}`)}`, place, { restart })
  )
  const began = performance.now()
  const daemon = yield* startDaemon(folder, mounts)
  yield* Effect.promise(() =>
    until(
      async () => ((await daemon.status()).every(({ state }) => state === "running") ? true : undefined),
      "all mounts"
    )
  )
  const start = performance.now() - began
  for (const place of places) yield* commandsOn(place).run("mkdir", [join(place, "folder")])
  const before = yield* askStatus(daemon.socket)
  let status = 0
  for (let n = 0; n < 10; n++) {
    const asked = performance.now()
    yield* askStatus(daemon.socket)
    status = Math.max(status, performance.now() - asked)
  }
  for (let n = 0; n < crashes; n++) {
    const { pid } = yield* Effect.promise(() => daemon.reaches("m0", "running"))
    if (pid !== undefined) process.kill(pid, "SIGKILL")
    yield* Effect.promise(() =>
      until(async () => ((await daemon.mount("m0")).pid !== pid ? true : undefined), "another worker")
    )
    yield* Effect.sleep(pause)
  }
  yield* Effect.promise(() => daemon.reaches("m0", "running"))
  const after = yield* askStatus(daemon.socket)
  const others = after.mounts.slice(1)
  const workers = yield* Effect.promise(() =>
    Promise.all(after.mounts.flatMap(({ pid }) => (pid === undefined ? [] : [ownMemory(pid)])))
  )
  const stopping = performance.now()
  const { status: end } = yield* Effect.promise(daemon.stop)
  if (end !== 0) yield* Effect.die(new Error(`the daemon ended with ${end}: ${daemon.log()}`))
  const report: ManyReport = {
    start,
    status,
    keeper: [mebibytes(before.rss), mebibytes(after.rss)],
    workers: mebibytes(workers.reduce((sum, one) => sum + one, 0)),
    touched: others.filter(({ pid, restarts }, n) => restarts > 0 || pid !== before.mounts[n + 1]?.pid).length,
    crashes: after.mounts[0]?.restarts ?? 0,
    stop: performance.now() - stopping
  }
  return report
})
