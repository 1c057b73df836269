/** A kept mount's timing, with workers that are no processes, by a clock that the test moves. */
import { fromFd } from "@bickford/transport"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { TestClock } from "effect/testing"
import { closeSync, openSync } from "node:fs"
import type { MountConfig } from "../src/config/DaemonConfig.ts"
import type { MountState } from "../src/control/StatusReport.ts"
import { type KeptMount, keepMount } from "../src/keeper/KeptMount.ts"
import type { WorkerExit, WorkerProcess } from "../src/keeper/workerProcess.ts"
import { type MountNumbers, noNumbers } from "../src/metrics/numbers.ts"
import type { FromWorker, ToWorker } from "../src/worker/messages.ts"

const config: MountConfig = {
  name: "m",
  source: "memory:",
  mountpoint: "/nowhere",
  options: [],
  restart: { intensity: 2, period: 600_000, backoff: { initial: 1000, max: 1000 } },
  whenLost: "restart",
  limits: {},
  heartbeat: 30_000,
  startTimeout: 60_000,
  slowCall: 100,
  traceparent: false
}

interface FakeWorker extends WorkerProcess {
  readonly received: Array<ToWorker["type"]>
  readonly says: (message: FromWorker) => void
  readonly ends: (exit: WorkerExit) => void
}

/** A worker that has loaded its code and obeys nothing but a kill. */
const fakeWorker = (pid: number): FakeWorker => {
  let listener: (message: FromWorker) => void = () => {}
  let ends: (exit: WorkerExit) => void = () => {}
  const exited = new Promise<WorkerExit>((resolve) => {
    ends = resolve
  })
  const received: Array<ToWorker["type"]> = []
  return {
    pid,
    ready: Promise.resolve(),
    exited,
    tries: () => Promise.resolve(undefined),
    send: ({ type }) => received.push(type),
    kill: () => ends({ status: null, signal: "SIGKILL" }),
    listen: (told) => {
      listener = told
    },
    received,
    says: (message) => listener(message),
    ends
  }
}

/** Lets promises settle, and what waits for them go on: a few turns of the event loop. */
const settle = Effect.promise(async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
})

const stepMillis = 250

const state = (mount: KeptMount) => mount.status().state

/** Moves the clock in small steps, so that no wait looks as if this process had been stopped. */
const pass = (millis: number): Effect.Effect<void> =>
  Effect.repeat(Effect.andThen(TestClock.adjust(stepMillis), settle), {
    times: Math.ceil(millis / stepMillis) - 1
  }).pipe(Effect.asVoid)

/** Moves the clock until the mount is in a state, by so many milliseconds at most. */
const passUntil = (mount: KeptMount, wanted: MountState, most: number): Effect.Effect<void> =>
  state(mount) === wanted || most <= 0
    ? Effect.void
    : Effect.andThen(
        pass(stepMillis),
        Effect.suspend(() => passUntil(mount, wanted, most - stepMillis))
      )

const kept = Effect.gen(function* () {
  const workers: Array<FakeWorker> = []
  const descriptor = yield* Effect.acquireRelease(
    Effect.sync(() => openSync("/dev/null", "r")),
    (fd) => Effect.sync(() => closeSync(fd))
  )
  const handle = yield* Effect.orDie(fromFd(descriptor))
  let mounts = 0
  let abandoned = 0
  const mount = yield* keepMount(config, {
    compiled: "",
    loading: yield* Semaphore.make(1),
    changed: () => {},
    slowCall: () => {},
    manager: { notify: () => Effect.void, store: () => Effect.void, forget: () => Effect.void },
    startWorker: () => {
      const worker = fakeWorker(workers.length + 1)
      workers.push(worker)
      return worker
    },
    openConnection: () =>
      Effect.map(Scope.make(), (scope) => {
        mounts++
        return {
          device: { handle, mountpoint: "/nowhere", device: "0:1", underneath: -1 },
          descriptor,
          scope,
          id: String(mounts),
          mountedAt: 0,
          negotiated: undefined,
          served: "never" as const
        }
      }),
    abandonConnection: ({ scope }) =>
      Effect.andThen(
        Effect.sync(() => abandoned++),
        Scope.close(scope, Exit.void)
      )
  })
  yield* settle
  const latest = (): FakeWorker => {
    const worker = workers.at(-1)
    if (worker === undefined) throw new Error("no worker was started")
    return worker
  }
  const serves = Effect.andThen(
    Effect.sync(() => {
      latest().says({ type: "reading", durable: true })
      latest().says({ type: "serving" })
    }),
    settle
  )
  return { mount, latest, serves, workers, counts: () => ({ mounts, abandoned }) }
})

describe("a kept mount", () => {
  it.effect("gives a worker a minute to begin to serve, and then starts another one", () =>
    Effect.gen(function* () {
      const { latest, mount, serves, workers } = yield* kept
      assert.deepStrictEqual(latest().received, ["serve"])
      for (let beat = 0; beat < 5; beat++) {
        yield* pass(10_000)
        latest().says({
          type: "beat",
          numbers: noNumbers
        })
      }
      yield* pass(9_000)
      assert.strictEqual(state(mount), "starting")
      yield* passUntil(mount, "backoff", 10_000)
      assert.strictEqual(state(mount), "backoff")
      assert.include(mount.status().lastCause, "did not begin to serve within 60 s")
      yield* pass(2_000)
      assert.lengthOf(workers, 2)
      yield* serves
      assert.strictEqual(state(mount), "running")
    })
  )

  it.effect("adds what its workers have counted: no counter begins anew with a worker", () =>
    Effect.gen(function* () {
      const { latest, mount, serves } = yield* kept
      const beat = (numbers: Partial<MountNumbers>) => {
        latest().says({ type: "beat", numbers: { ...noNumbers, ...numbers } })
        return settle
      }
      const lookups = (count: number, step: number) => ({
        LOOKUP: { count, errors: 1, microseconds: 10 * count, latencies: { [step]: count } }
      })
      yield* serves
      yield* beat({ inFlight: 2, workerRss: 100, requests: 5, operations: lookups(5, 12) })
      yield* beat({ inFlight: 2, workerRss: 100, requests: 9, bytesRead: 4, operations: lookups(9, 12) })
      yield* passUntil(mount, "backoff", 40_000)
      yield* passUntil(mount, "starting", 40_000)
      const between = mount.status()
      assert.deepStrictEqual([between.inFlight, between.workerRss, between.requests], [0, 0, 9])
      yield* serves
      yield* beat({ inFlight: 1, workerRss: 50, requests: 2, bytesRead: 1, operations: lookups(2, 16) })
      const { bytesRead, inFlight, operations, requests, workerRss } = mount.status()
      assert.deepStrictEqual([inFlight, workerRss, requests, bytesRead], [1, 50, 11, 5])
      assert.deepStrictEqual(operations["LOOKUP"], {
        count: 11,
        errors: 2,
        microseconds: 110,
        latencies: { 12: 9, 16: 2 },
        p50: 8,
        p99: 16
      })
    })
  )

  it.effect("kills its worker when it is asked to, and starts another one", () =>
    Effect.gen(function* () {
      const { mount, serves, workers } = yield* kept
      yield* serves
      yield* mount.kill
      yield* settle
      assert.strictEqual(state(mount), "backoff")
      assert.include((yield* Effect.flip(mount.kill)).message, "has no worker now")
      yield* pass(2_000)
      assert.lengthOf(workers, 2)
      assert.strictEqual(mount.status().restarts, 1)
    })
  )

  it.effect("kills a worker that is silent for the heartbeat, and tells when", () =>
    Effect.gen(function* () {
      const { latest, mount, serves, workers } = yield* kept
      yield* serves
      yield* pass(29_000)
      assert.strictEqual(state(mount), "running")
      yield* pass(9_000)
      assert.strictEqual(state(mount), "backoff")
      const { history, restarts } = mount.status()
      assert.deepStrictEqual(
        [restarts, history.map(({ cause }) => cause)],
        [1, ["the worker did not answer for 30 s and was killed"]]
      )
      assert.isAtLeast(history[0]?.at ?? 0, 29_000)
      assert.isAtMost(history[0]?.at ?? 0, 38_000)
      yield* pass(2_000)
      assert.lengthOf(workers, 2)
      assert.strictEqual(mount.status().pid, latest().pid)
      assert.isAtLeast(mount.status().since, 30_000)
    })
  )

  it.effect(
    "keeps its connection while workers of a durable backend come and go, and gives it up past the intensity",
    () =>
      Effect.gen(function* () {
        const { counts, latest, mount, serves, workers } = yield* kept
        for (let death = 0; death < 3; death++) {
          yield* serves
          assert.strictEqual(state(mount), "running")
          assert.deepStrictEqual(counts(), { mounts: 1, abandoned: 0 })
          latest().ends({ status: 1, signal: null })
          yield* pass(2_000)
        }
        assert.strictEqual(state(mount), "failed")
        assert.deepStrictEqual(counts(), { mounts: 1, abandoned: 1 })
        assert.lengthOf(workers, 3)
        assert.include(mount.status().lastCause, "more than 2 restarts within 600 s")
        assert.strictEqual(mount.status().restarts, 2)
        const refused = yield* Effect.flip(mount.running)
        assert.include(refused.message, "more than 2 restarts")
      })
  )

  it.effect("waits five seconds for a worker that was told to drain, and kills it", () =>
    Effect.gen(function* () {
      const { latest, mount, serves, workers } = yield* kept
      yield* serves
      const leaving = latest()
      const restarting = yield* Effect.forkDetach(mount.restart, { startImmediately: true })
      yield* settle
      assert.deepStrictEqual(leaving.received, ["serve", "drain"])
      assert.strictEqual(state(mount), "draining")
      assert.lengthOf(workers, 2)
      yield* pass(4_000)
      assert.strictEqual(state(mount), "draining")
      yield* pass(2_000)
      yield* serves
      assert.isDefined(restarting.pollUnsafe())
      assert.deepStrictEqual([state(mount), mount.status().restarts, mount.status().pid], ["running", 0, 2])
    })
  )
})
