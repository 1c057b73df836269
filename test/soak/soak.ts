/**
 * `npm run soak`: real programs on a mount whose operations die at random (1 in 100), whose backend's
 * layer crashes every second and whose dispatcher is killed every three. `--seconds N` (default 600).
 * Prints what came of it and ends with 1 when the failure contract was broken.
 */
import { type Backend, memory, mountEffect as mount } from "bickford"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { brittleOperations, deaths } from "./brittle.ts"
import { runClient } from "./runClient.ts"

const { values } = parseArgs({ options: { seconds: { type: "string", default: "600" } } })
const seconds = Number(values.seconds)
const processes = 4

const kept = memory()
let crashes = 0
let kills = 0

const backend = Effect.sync((): Backend => ({
  ...kept,
  ...brittleOperations(kept),
  run: Effect.andThen(
    Effect.sleep("1 second"),
    Effect.suspend(() => {
      crashes++
      return Effect.fail("the layer crashed")
    })
  )
}))

const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20)

/** MiB: of the process, of the JavaScript heap, and of what it holds outside. */
const memoryUse = () => {
  globalThis.gc?.()
  const { external, heapUsed, rss } = process.memoryUsage()
  return { rss: mebibytes(rss), heapUsed: mebibytes(heapUsed), external: mebibytes(external) }
}
const descriptors = (): number => readdirSync("/proc/self/fd").length

const program = Effect.gen(function* () {
  const mountpoint = realpathSync(mkdtempSync(join(tmpdir(), "bickford-soak-")))
  yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(mountpoint, { recursive: true, force: true })))
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const mounted = yield* mount({ mountpoint, backend, session: { maxRestarts: Number.MAX_SAFE_INTEGER } })
      const { connection } = mounted.session
      // Makes the kernel forget, so that only what is held is counted; what it never forgets is found below.
      const forget = Effect.andThen(
        Effect.sync(() => writeFileSync("/proc/sys/vm/drop_caches", "2")),
        Effect.sleep("200 millis")
      )
      const settle = Effect.repeat(forget, {
        until: () => connection.nodes.size <= 1 && connection.inFlight.size === 0,
        times: 50
      })
      yield* Effect.forkScoped(
        Effect.forever(
          Effect.andThen(
            Effect.sleep("3 seconds"),
            Effect.sync(() => mounted.session.supervisor.kill("dispatcher") && kills++)
          )
        )
      )
      // A short run first, so that what is loaded and pooled once is there.
      yield* runClient(join(mountpoint, "first"), Math.min(1, seconds))
      yield* settle
      const before = { ...memoryUse(), descriptors: descriptors() }
      const reports = yield* Effect.all(
        Array.from({ length: processes }, (_, n) => runClient(join(mountpoint, `client${n}`), seconds)),
        { concurrency: "unbounded" }
      )
      yield* settle
      const wrong = reports.flatMap((report) => report.wrong)
      const alive = connection.ended === undefined
      const after = { ...memoryUse(), descriptors: descriptors() }
      const left = {
        nodes: connection.nodes.size,
        inFlight: connection.inFlight.size,
        handles: connection.handles.size,
        parked: connection.parked.length,
        inodes: kept.stats().inodes
      }
      if (!alive) wrong.push("the mount is gone")
      if (after.descriptors !== before.descriptors)
        wrong.push(`${after.descriptors - before.descriptors} descriptors were left open`)
      if (left.inFlight !== 0 || left.parked !== 0) wrong.push("requests were left in flight")
      if (left.handles > 0) wrong.push(`${left.handles} nodes are still open`)
      if (left.nodes > 1) wrong.push(`${left.nodes} nodes are still held`)
      if (left.inodes > 1) wrong.push(`${left.inodes} inodes were left behind`)
      if (after.rss > before.rss + 150) wrong.push(`memory grew by ${after.rss - before.rss} MiB`)
      if (seconds >= 5 && (crashes === 0 || kills === 0 || deaths() === 0)) wrong.push("the faults were not injected")
      return {
        seconds,
        calls: reports.reduce((sum, { calls }) => sum + calls, 0),
        failed: reports.reduce((sum, { failed }) => sum + failed, 0),
        slowestMilliseconds: Math.round(Math.max(...reports.map(({ slowest }) => slowest))),
        injected: { deaths: deaths(), crashes, kills },
        before,
        after,
        left,
        wrong
      }
    })
  )
})

const report = await Effect.runPromise(Effect.provide(Effect.scoped(program), Logger.layer([])))
console.log(JSON.stringify(report, undefined, 2))
process.exitCode = report.wrong.length === 0 ? 0 : 1
