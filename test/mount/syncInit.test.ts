/** Synchronous INIT (FUSE_DEV_IOC_SYNC_INIT, Linux 6.18): mount(2) returns when INIT has been answered. */
import { assert, describe, it } from "@effect/vitest"
import { abortConnection, findMount } from "@bickford/transport"
import { memory } from "bickford"
import { mount, type MountError } from "@bickford/session"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { type ChildProcess, spawn } from "node:child_process"
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Worker } from "node:worker_threads"
import { farewellMilliseconds, patienceMilliseconds } from "../patience.ts"
import { root, withMount } from "./bickford.ts"
import { mountpointFolder, serve } from "./inProcess.ts"
import { ended } from "./processes.ts"

const syncInit = true

/** How many descriptors of /dev/fuse this process has. */
const devices = (): number =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === "/dev/fuse"
    } catch {
      return false
    }
  }).length

const threadNames = (): ReadonlyArray<string> =>
  readdirSync("/proc/self/task").flatMap((thread) => {
    try {
      return [readFileSync(`/proc/self/task/${thread}/comm`, "utf8").trim()]
    } catch {
      return []
    }
  })

/** Waits until no thread of this process is in a call that mounts. */
const nobodyMounts = Effect.repeat(Effect.sleep(5), { until: () => !threadNames().includes("bickford-job") })

const readAhead = (device: string): string => readFileSync(`/sys/class/bdi/${device}/read_ahead_kb`, "utf8").trim()

describe("a mount with a synchronous INIT", () => {
  it.live("is not seen before its backend's init has ended, and works", () =>
    Effect.gen(function* () {
      const mountpoint = yield* mountpointFolder
      const seen: Array<boolean> = []
      const backend = {
        ...memory(),
        init: () => Effect.sync(() => void seen.push(findMount(mountpoint) !== undefined))
      }
      yield* Effect.scoped(mount({ mountpoint, backend, syncInit }))
      yield* Effect.scoped(mount({ mountpoint, backend }))
      assert.deepStrictEqual(seen, [false, true])
      const { run, ...served } = yield* serve(memory(), { syncInit })
      assert.strictEqual(yield* run("sh", ["-c", 'echo text >"$0/file"; cat "$0/file"', served.mountpoint]), "text\n")
      yield* served.mounted.unmount()
      assert.strictEqual((yield* served.mounted.awaitEnd).reason, "asked")
      assert.isUndefined(findMount(served.mountpoint))
    })
  )

  it.live("reads ahead as far as one without", () =>
    Effect.gen(function* () {
      for (const session of [{}, { maxReadahead: 65_536 }]) {
        const { mounted: waited } = yield* serve(memory(), { syncInit, session })
        const { mounted } = yield* serve(memory(), { session })
        assert.strictEqual(readAhead(waited.device), readAhead(mounted.device))
      }
    })
  )

  it.live("is mounted anew when its connection is aborted, where that was asked for", () =>
    Effect.gen(function* () {
      const { mounted, mountpoint, run } = yield* serve(memory(), { syncInit, remount: "onAbort" })
      yield* abortConnection(mounted)
      yield* Effect.repeat(Effect.sleep(5), { until: () => mounted.remounts === 1 })
      assert.strictEqual(yield* run("ls", [mountpoint]), "")
    })
  )

  it.live("is refused with threads", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(serve(memory(), { syncInit, threads: 1 }))
      assert.match(refused.message, /^option syncInit is not for a mount with threads: /)
    })
  )

  it("is the command's with -o sync_init", () =>
    withMount(
      async (served) => {
        assert.strictEqual(
          await served.run("sh", ["-c", 'echo text >"$0/file"; cat "$0/file"', served.mountpoint]),
          "text\n"
        )
      },
      ["-o", "sync_init"]
    ))
})

/** Serves what does not come about; nothing may be left of it. */
const refusalOf = (source: Parameters<typeof serve>[0], options: Parameters<typeof serve>[1] = {}) =>
  Effect.gen(function* () {
    const before = devices()
    const failed: MountError = yield* Effect.flip(Effect.scoped(serve(source, { syncInit, ...options })))
    yield* nobodyMounts
    assert.strictEqual(devices(), before)
    return failed
  })

describe("what does not come about", () => {
  it.live("fails as the backend's init does, and was never seen", () =>
    Effect.gen(function* () {
      const failing = { ...memory(), init: () => Effect.fail(new Error("not agreed")) }
      const failed = yield* refusalOf(failing)
      assert.strictEqual(failed._tag, "SessionEndedError")
      assert.strictEqual(failed.message, "the session ended before INIT was answered: not agreed")
      const contradicting = { ...memory(), capabilities: { writebackCache: true, passthrough: true } }
      assert.strictEqual((yield* refusalOf(contradicting))._tag, "OptionError")
    })
  )

  it.live("ends with startTimeout, wherever it waits", () =>
    Effect.gen(function* () {
      const startTimeout = "100 millis"
      assert.strictEqual((yield* refusalOf(Effect.never, { startTimeout }))._tag, "MountTimeoutError")
      const waiting = { ...memory(), init: () => Effect.never }
      assert.strictEqual((yield* refusalOf(waiting, { startTimeout }))._tag, "MountTimeoutError")
    })
  )

  it.live("ends when its backend does not start", () =>
    Effect.gen(function* () {
      const failed = yield* refusalOf(Effect.fail(new Error("no database")), { session: { maxRestarts: 0 } })
      assert.include(failed.message, "no database")
    })
  )

  it.live("is told of with the kernel's reason, as one without", () =>
    Effect.gen(function* () {
      const waited = yield* refusalOf(memory(), { securityContexts: { context: "a:b:c" } })
      const failed = yield* refusalOf(memory(), { securityContexts: { context: "a:b:c" }, syncInit: false })
      const plain = ({ message }: MountError) => message.replace(/bickford-mount-\w+/, "")
      assert.strictEqual(plain(waited), plain(failed))
    })
  )

  it.live("ends when it is interrupted", () =>
    Effect.gen(function* () {
      for (const where of ["source", "init"] as const) {
        const waiting = yield* Deferred.make<void>()
        const wait = Effect.andThen(Deferred.succeed(waiting, undefined), Effect.never)
        const source = where === "source" ? wait : { ...memory(), init: () => wait }
        const fiber = yield* Effect.forkChild(Effect.scoped(serve(source, { syncInit })))
        yield* Deferred.await(waiting)
        yield* Fiber.interrupt(fiber)
        assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)), where)
        yield* nobodyMounts
      }
    })
  )

  it.live("ends with the thread that mounts", () =>
    Effect.gen(function* () {
      const mountpoint = yield* mountpointFolder
      const program = new URL("./programs/mountingThread.ts", import.meta.url)
      const before = devices()
      const worker = new Worker(program, { workerData: { mountpoint, syncInit, slowly: true } })
      yield* Effect.promise(() => new Promise((resolve) => worker.once("message", resolve)))
      yield* Effect.promise(() => worker.terminate())
      yield* nobodyMounts
      assert.isUndefined(findMount(mountpoint))
      assert.strictEqual(devices(), before)
    })
  )
})

const program = join(root, "test", "mount", "programs", "startingSlowly.ts")

/** A process that waits while it mounts. */
const startingSlowly = (where: "source" | "init") =>
  Effect.gen(function* () {
    const mountpoint = yield* mountpointFolder
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(
          process.execPath,
          ["--conditions=development", "--disable-warning=ExperimentalWarning", program, mountpoint, where],
          {
            stdio: ["ignore", "pipe", "inherit"]
          }
        )
      ),
      (one) => Effect.sync(() => one.kill("SIGKILL"))
    )
    yield* Effect.promise(() => new Promise<void>((resolve) => child.stdout.once("data", () => resolve())))
    return { child, mountpoint }
  })

/** The connection whose device a process has open. */
const connectionOfProcess = (pid: number | undefined): string => {
  for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
    const [, id] = /^fuse_connection:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8")) ?? []
    if (id !== undefined) return id
  }
  throw new Error(`process ${pid} has no connection`)
}

const abort = (connection: string) =>
  Effect.sync(() => writeFileSync(`/sys/fs/fuse/connections/${connection}/abort`, "1"))

const endOf = (child: ChildProcess) =>
  Effect.timeoutOrElse(
    Effect.promise(() => ended(child)),
    { duration: patienceMilliseconds, orElse: () => Effect.die(new Error("the process has not ended")) }
  )

describe("a process that ends while it mounts", () => {
  for (const where of ["source", "init"] as const) {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      it.live(`by ${signal}, waiting for its ${where}: leaves nothing`, () =>
        Effect.gen(function* () {
          const { child, mountpoint } = yield* startingSlowly(where)
          child.kill(signal)
          assert.strictEqual((yield* endOf(child)).signal, signal)
          assert.isUndefined(findMount(mountpoint))
        })
      )
    }
  }

  for (const where of ["source", "init"] as const) {
    it.live(`by SIGKILL, waiting for its ${where}: leaves nothing`, () =>
      Effect.gen(function* () {
        const { child, mountpoint } = yield* startingSlowly(where)
        const connection = connectionOfProcess(child.pid)
        child.kill("SIGKILL")
        // A kernel that does not abort over a fatal signal would keep the process for ever, and this test's too.
        const waiting = yield* Effect.forkChild(Effect.andThen(Effect.sleep(farewellMilliseconds), abort(connection)))
        assert.strictEqual((yield* endOf(child)).signal, "SIGKILL")
        assert.isUndefined(waiting.pollUnsafe(), "the kernel let it go")
        assert.isUndefined(findMount(mountpoint))
      })
    )
  }
})
