/**
 * Serves a filesystem whose operations take a moment, until SIGTERM: `underLoad.ts MOUNTPOINT`. Then tells
 * as JSON what was called when, and what it left running. Nothing but the end of its work ends the process.
 */
import { memory } from "@bickford/backends"
import { type Backend, mount } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { readdirSync, readFileSync } from "node:fs"

const [mountpoint = ""] = process.argv.slice(2)

let fibers = 0
let mostFibers = 0
const counting: Metric.FiberRuntimeMetricsService = {
  recordFiberStart: () => {
    mostFibers = Math.max(mostFibers, ++fibers)
  },
  recordFiberEnd: () => void fibers--
}

/** A thread whose job is done may not have ended yet: it is nobody's any more. */
const jobsEnd = Effect.repeat(Effect.sleep(1), {
  until: () => !readdirSync("/proc/self/task").some((thread) => nameOf(thread) === "bickford-job")
})

const nameOf = (thread: string): string => {
  try {
    return readFileSync(`/proc/self/task/${thread}/comm`, "utf8").trim()
  } catch {
    return "gone"
  }
}

/** What the process holds outside of JavaScript. */
const held = () => ({
  descriptors: readdirSync("/proc/self/fd").length,
  threads: readdirSync("/proc/self/task").length,
  resources: process.getActiveResourcesInfo().sort()
})

const kept = memory()
let calls = 0
let destroyed = 0
let callsAfterDestroy = 0
let inFlightAtDestroy = -1

const slow =
  (operation: (...args: ReadonlyArray<never>) => Effect.Effect<unknown, unknown>) =>
  (...args: ReadonlyArray<never>) => {
    calls++
    callsAfterDestroy += destroyed
    return Effect.andThen(
      Effect.sleep(1),
      Effect.suspend(() => operation(...args))
    )
  }

const slowed: Partial<Backend> = Object.fromEntries(
  (["lookup", "create", "read", "write", "unlink", "flush"] as const).flatMap((name) => {
    const operation: unknown = kept[name]
    return typeof operation === "function" ? [[name, slow((...args) => Reflect.apply(operation, kept, args))]] : []
  })
)

const stopped = Effect.callback<void>((resume) => {
  process.once("SIGTERM", () => resume(Effect.void))
})

const serve = Effect.scoped(
  Effect.gen(function* () {
    const backend: Backend = {
      ...kept,
      ...slowed,
      destroy: () =>
        Effect.sync(() => {
          destroyed++
          inFlightAtDestroy = mounted.session.connection.inFlight.size
        })
    }
    const mounted = yield* mount({ mountpoint, backend })
    console.log("ready")
    yield* stopped
    return mounted
  })
)

const program = Effect.gen(function* () {
  // Once for nothing: what is loaded and started once for the life of the process is there then.
  console.log("serving soon")
  yield* Effect.scoped(mount({ mountpoint, backend: memory() }))
  yield* jobsEnd
  const before = { ...held(), fibers }
  const mounted = yield* serve
  const { reason } = yield* mounted.awaitEnd
  yield* jobsEnd
  const after = { ...held(), fibers }
  const { handles, inFlight, nodes } = mounted.session.connection
  console.log(
    JSON.stringify({
      reason,
      calls,
      mostFibers,
      destroyed,
      callsAfterDestroy,
      inFlightAtDestroy,
      before,
      after,
      left: { handles: handles.size, inFlight: inFlight.size, nodes: nodes.size }
    })
  )
})

await Effect.runPromise(Effect.provideService(program, Metric.FiberRuntimeMetrics, counting))
