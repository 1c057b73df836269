/**
 * mounts.ts MOUNTPOINT...: serves an empty memory filesystem at each, and once a line has come on stdin says how a
 * timer of 1 ms has kept its time since the line before: { "mean", "p99", "max" }, milliseconds from tick to tick.
 */
import { memory } from "@bickford/backends"
import { mount } from "@bickford/session"
import * as Effect from "effect/Effect"

const mountpoints = process.argv.slice(2)
let intervals: Array<number> = []
let last = performance.now()
setInterval(() => {
  const now = performance.now()
  intervals.push(now - last)
  last = now
}, 1)

process.stdin.on("data", () => {
  const sorted = intervals.sort((a, b) => a - b)
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length
  console.log(JSON.stringify({ mean, p99: sorted[Math.floor(sorted.length * 0.99)], max: sorted.at(-1) }))
  intervals = []
})

const serve = (mountpoint: string) =>
  mount({ mountpoint, backend: memory({ attrTimeout: 0, entryTimeout: 0 }), defaultPermissions: false })

const program = Effect.scoped(
  Effect.gen(function* () {
    const mounted = yield* Effect.forEach(mountpoints, serve)
    console.log("mounted")
    yield* Effect.forEach(mounted, ({ awaitEnd }) => awaitEnd, { concurrency: "unbounded" })
  })
)
const running = Effect.runFork(program)
running.addObserver(() => process.exit(0))
process.once("SIGTERM", () => running.interruptUnsafe())
