/** The failure contract of a mount that several isolates serve: the rows of docs/failures.md and docs/architecture/isolates.md. */
import { assert, describe, it } from "@effect/vitest"
import type { MountOptions } from "@bickford/session"
import { abortConnection, findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { vi } from "vitest"
import { patienceMilliseconds } from "../patience.ts"
import { mountOnRings } from "./enableUring.ts"
import { serve } from "./inProcess.ts"
import { isolateThreads, terminateIsolateOf } from "./isolateThreads.ts"
import { ended } from "./processes.ts"
import { type Failing, failingBackend, place } from "./programs/failingIsolate.ts"

vi.mock("../../packages/session/src/isolates/startIsolateThread.ts", () => import("./isolateThreads.ts"))

const until = (condition: () => boolean) => Effect.repeat(Effect.sleep("5 millis"), { until: () => condition() })

const cpus = Array.from({ length: availableParallelism() }, (_, cpu) => String(cpu))

/** The file, whose READ does that, served by an isolate for each CPU. */
const serveFailing = (read: Failing["read"], options: Omit<MountOptions, "mountpoint" | "backend"> = {}) =>
  Effect.gen(function* () {
    const { numbers, source } = failingBackend(read)
    const served = yield* mountOnRings(
      serve(source, { threads: "auto", startTimeout: patienceMilliseconds, ...options })
    )
    const count = (of: keyof typeof place): number => Atomics.load(numbers, place[of])
    const serving = (): number => served.mounted.session.connection.isolates?.serving() ?? 0
    assert.strictEqual(serving(), cpus.length)
    const file = join(served.mountpoint, "file")
    const cat = (cpu = "0") => served.attempt("taskset", ["-c", cpu, "cat", file])
    return { ...served, numbers, count, serving, file, cat }
  })

describe("the failure contract, of several isolates", () => {
  it.live("an operation that fails with an errno error: the program gets that errno", () =>
    Effect.gen(function* () {
      const { cat } = yield* serveFailing("errno")
      for (const cpu of cpus) assert.include((yield* cat(cpu)).stderr, "Disk quota exceeded")
    })
  )

  it.live("an operation that throws, dies or returns nonsense: EIO for that call; that rejects: its errno", () =>
    Effect.gen(function* () {
      const { cat } = yield* serveFailing("nonsense")
      for (let time = 1; time <= 5; time++)
        assert.include((yield* cat(cpus[time % cpus.length])).stderr, "Input/output error")
      assert.include((yield* cat()).stderr, "No space left on device")
      for (const cpu of cpus) assert.strictEqual((yield* cat(cpu)).stdout, "hello")
    })
  )

  it.live("an operation that outlives its deadline: its fiber is interrupted, ETIMEDOUT", () =>
    Effect.gen(function* () {
      const { cat, count } = yield* serveFailing("never", {
        session: { deadline: { read: { after: "50 millis", errno: 110 } } }
      })
      assert.include((yield* cat()).stderr, "Connection timed out")
      yield* until(() => count("interrupted") === 1)
    })
  )

  it.live("the caller is killed: its operation is stopped, wherever it runs", () =>
    Effect.gen(function* () {
      const { count, file } = yield* serveFailing("never")
      for (const [n, cpu] of cpus.entries()) {
        const reader = spawn("taskset", ["-c", cpu, "cat", file], { stdio: "ignore" })
        yield* until(() => count("asked") === n + 1)
        reader.kill("SIGKILL")
        yield* until(() => count("interrupted") === n + 1)
        yield* Effect.promise(() => ended(reader))
      }
    })
  )

  it.live("an isolate's backend fails: calls in flight get EIO once, new ones wait for the next instance", () =>
    Effect.gen(function* () {
      const { cat, count, numbers, serving } = yield* serveFailing("once")
      const reading = yield* Effect.forkChild(cat())
      yield* until(() => count("asked") === 1)
      Atomics.store(numbers, place.fails, 1)
      assert.include((yield* Fiber.join(reading)).stderr, "Input/output error")
      for (const cpu of cpus) assert.strictEqual((yield* cat(cpu)).stdout, "hello")
      yield* until(() => count("instances") === cpus.length + 1 && serving() === cpus.length)
    })
  )

  it.live("an isolate's backend fails over and over: the thread is started again, and then serves", () =>
    Effect.gen(function* () {
      const { cat, count, numbers, serving } = yield* serveFailing("right", {
        session: { maxRestarts: 20, maxSeconds: "1 hour" }
      })
      // An isolate's own tree gives up at the 21st.
      Atomics.store(numbers, place.fails, 21 * cpus.length)
      yield* until(() => count("fails") === 0)
      for (const cpu of cpus) assert.strictEqual((yield* cat(cpu)).stdout, "hello")
      yield* until(() => serving() === cpus.length)
    })
  )

  it.live("an isolate dies with a call in hand: EIO for that call, and its successor serves", () =>
    Effect.gen(function* () {
      for (const cpu of cpus) {
        const { cat, count } = yield* serveFailing("once")
        const reading = yield* Effect.forkChild(cat(cpu))
        yield* until(() => count("asked") === 1)
        yield* Effect.promise(() => terminateIsolateOf(Number(cpu)))
        assert.include((yield* Fiber.join(reading)).stderr, "Input/output error")
        for (const other of cpus) assert.strictEqual((yield* cat(other)).stdout, "hello")
      }
    })
  )

  it.live("isolates die more often than the intensity: the mount ends, is detached, and nobody is left hanging", () =>
    Effect.gen(function* () {
      const { cat, count, mounted, mountpoint } = yield* serveFailing("never", { session: { maxRestarts: 2 } })
      const reading = yield* Effect.forkChild(cat("0"))
      yield* until(() => count("asked") === 1)
      const dying = yield* Effect.forkChild(
        Effect.forever(
          Effect.andThen(
            Effect.promise(() => terminateIsolateOf(1)),
            Effect.sleep("5 millis")
          )
        )
      )
      assert.strictEqual((yield* mounted.awaitEnd).reason, "failed")
      yield* Fiber.interrupt(dying)
      assert.notStrictEqual((yield* Fiber.join(reading)).status, 0)
      assert.isUndefined(findMount(mountpoint))
      yield* until(() => isolateThreads.size === 0)
    })
  )

  for (const part of ["gatekeeper", "backend", "transport", "session", "isolates"] as const) {
    it.live(`the mounting thread's ${part} fails: calls in flight get EIO at most, and the mount goes on`, () =>
      Effect.gen(function* () {
        const { cat, count, mounted, mountpoint, serving } = yield* serveFailing("once")
        const { device } = mounted
        const { negotiated } = mounted.session.connection
        const reading = yield* Effect.forkChild(cat())
        yield* until(() => count("asked") === 1)
        assert.isTrue(mounted.session.supervisor.kill(part))
        yield* until(() => serving() < cpus.length)
        // These come while nobody serves.
        const others = yield* Effect.forkChild(Effect.all(cpus.map(cat), { concurrency: "unbounded" }))
        assert.include((yield* Fiber.join(reading)).stderr, "Input/output error")
        // One that an isolate was given that ends is answered as what it has in hand, or by the kernel.
        for (const { stderr, stdout } of yield* Fiber.join(others))
          if (stdout !== "hello") assert.match(stderr, /Input\/output error|Operation canceled/)
        for (const cpu of cpus) assert.strictEqual((yield* cat(cpu)).stdout, "hello")
        yield* until(() => serving() === cpus.length)
        assert.strictEqual(findMount(mountpoint)?.device, device)
        assert.strictEqual(mounted.session.connection.negotiated, negotiated)
      })
    )
  }

  it.live("the mounting thread's dispatcher fails: the isolates are untouched", () =>
    Effect.gen(function* () {
      const { cat, count, mounted } = yield* serveFailing("right")
      // A spare may still be on its way.
      const serving = () =>
        [...isolateThreads].flatMap(([{ threadId }, served]) => (served === undefined ? [] : [threadId]))
      const threads = serving()
      assert.isTrue(mounted.session.supervisor.kill("dispatcher"))
      for (const cpu of cpus) assert.strictEqual((yield* cat(cpu)).stdout, "hello")
      assert.deepStrictEqual(serving(), threads)
      assert.strictEqual(count("instances"), cpus.length)
    })
  )

  it.live("unmounted from outside: the tree ends normally, destroy has run once, and no thread is left", () =>
    Effect.gen(function* () {
      const { cat, count, mounted, mountpoint, run } = yield* serveFailing("right")
      yield* cat()
      yield* run("umount", [mountpoint], { cwd: "/" })
      assert.strictEqual((yield* mounted.awaitEnd).reason, "unmounted")
      assert.strictEqual(count("destroyed"), 1)
      yield* until(() => isolateThreads.size === 0)
    })
  )

  it.live("aborted from outside: the mount ends, and leaves no dead mountpoint", () =>
    Effect.gen(function* () {
      const { cat, count, mounted, mountpoint } = yield* serveFailing("never")
      const reading = yield* Effect.forkChild(cat())
      yield* until(() => count("asked") === 1)
      yield* abortConnection(mounted)
      assert.notStrictEqual((yield* Fiber.join(reading)).status, 0)
      assert.strictEqual((yield* mounted.awaitEnd).reason, "aborted")
      assert.isUndefined(findMount(mountpoint))
      yield* until(() => isolateThreads.size === 0)
    })
  )

  it.live("an isolate that is in an endless loop is ended with its mount", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { cat, count, mounted, mountpoint } = yield* Scope.provide(
        serveFailing("spin", { stopTimeout: 100 }),
        scope
      )
      const reading = yield* Effect.forkChild(cat())
      yield* until(() => count("asked") === 1)
      yield* Scope.close(scope, Exit.void)
      assert.notStrictEqual((yield* Fiber.join(reading)).status, 0)
      assert.strictEqual((yield* mounted.awaitEnd).reason, "asked")
      assert.isUndefined(findMount(mountpoint))
      yield* until(() => isolateThreads.size === 0)
    })
  )
})
