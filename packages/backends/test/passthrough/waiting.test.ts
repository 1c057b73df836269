/** What would make the thread that serves everybody wait: FIFOs, leases. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import type { Entry } from "@bickford/protocol"
import { FATTR_MODE, FATTR_SIZE, S_IFIFO } from "../../src/posix/linux.ts"
import { rootNode } from "../posix/kernel.ts"
import { errnoOf, start } from "./servedFolder.ts"

const O_WRONLY = 1
const O_RDWR = 2

/** A program that takes a write lease on `path` and keeps it, deaf to the kernel's asking, until it is killed. */
const leased = (path: string) =>
  Effect.gen(function* () {
    const taken = yield* Deferred.make<void, Error>()
    const holder = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const program = `
import fcntl, os, signal, sys, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
fcntl.fcntl(os.open(sys.argv[1], os.O_RDWR), fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("taken", flush=True)
time.sleep(600)
`
        return spawn("python3", ["-c", program, path], { stdio: ["ignore", "pipe", "inherit"] })
      }),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    holder.once("exit", (status) =>
      Deferred.doneUnsafe(taken, Exit.fail(new Error(`the lease was not taken: ${status}`)))
    )
    holder.stdout.once("data", () => Deferred.doneUnsafe(taken, Exit.void))
    yield* Deferred.await(taken)
    return Effect.sync(() => void holder.kill("SIGKILL"))
  })

/** Whether a thread of the addon's is at work: it opens what has to be waited for. */
const isOpening = (): boolean =>
  fs.readdirSync("/proc/self/task").some((thread) => {
    try {
      return fs.readFileSync(`/proc/self/task/${thread}/comm`, "utf8") === "bickford-job\n"
    } catch {
      // It has just ended.
      return false
    }
  })

describe("a served folder", () => {
  it.effect("opens no FIFO that has taken a name which was free a moment ago", () =>
    Effect.gen(function* () {
      const { kernel, served } = yield* start()
      execFileSync("mkfifo", [join(served, "fifo")])
      // O_RDWR first: it is the one that does not wait.
      for (const flags of [O_RDWR, O_WRONLY])
        assert.strictEqual(yield* errnoOf(kernel.create({ name: "fifo", flags })), "ESTALE")
      assert.isTrue(fs.lstatSync(join(served, "fifo")).isFIFO())
    })
  )

  it.effect("changes a FIFO by who has it open, once its name was removed or replaced through the mount", () =>
    Effect.gen(function* () {
      const { kernel, served } = yield* start()
      const chmod = (nodeid: Entry["nodeid"]) => kernel.setattr({ nodeid, valid: FATTR_MODE, mode: 0o010640 })
      const fifo = (name: string) => kernel.mknod({ name, mode: S_IFIFO | 0o600 })
      const removed = yield* fifo("removed")
      const replaced = yield* fifo("replaced")
      yield* fifo("other")
      yield* kernel.unlink(rootNode, "removed")
      yield* kernel.rename(rootNode, "other", rootNode, "replaced")
      for (const { nodeid } of [removed, replaced]) yield* chmod(nodeid)
      // Underneath: the kernel may have come by the name, and is to look again.
      const { nodeid } = yield* fifo("gone")
      fs.rmSync(join(served, "gone"))
      assert.strictEqual(yield* errnoOf(chmod(nodeid)), "ESTALE")
    })
  )

  it.effect("opens a file that another has made meanwhile, unless it was to be new", () =>
    Effect.gen(function* () {
      const { kernel, served } = yield* start()
      fs.writeFileSync(join(served, "file"), "text")
      const { attr } = yield* kernel.create({ name: "file", flags: O_RDWR })
      assert.strictEqual(attr.size, 4)
      assert.strictEqual(yield* errnoOf(kernel.create({ name: "file", flags: O_RDWR | fs.constants.O_EXCL })), "EEXIST")
      yield* kernel.create({ name: "file", flags: O_RDWR | fs.constants.O_TRUNC })
      assert.strictEqual(fs.statSync(join(served, "file")).size, 0)
    })
  )

  it.live("answers others while an open, or a truncation, waits for a lease", () =>
    Effect.gen(function* () {
      const { kernel, served } = yield* start()
      const path = join(served, "file")
      fs.writeFileSync(path, "text")
      const { nodeid } = yield* kernel.lookup(rootNode, "file")
      // What is open cannot be leased.
      const openAndClose = (flags: number) =>
        Effect.flatMap(kernel.open({ nodeid, flags }), ({ fh }) => kernel.release({ nodeid, fh }))
      const waits: ReadonlyArray<Effect.Effect<unknown, { readonly _tag: string }>> = [
        openAndClose(O_WRONLY),
        openAndClose(0),
        kernel.setattr({ nodeid, valid: FATTR_SIZE, size: 2 })
      ]
      for (const waiting of waits) {
        const release = yield* leased(path)
        const fiber = yield* Effect.forkChild(waiting, { startImmediately: true })
        assert.strictEqual((yield* kernel.getattr(rootNode)).nlink, 2)
        assert.strictEqual((yield* kernel.getattr(nodeid)).size, 4)
        assert.isUndefined(fiber.pollUnsafe(), "it waits")
        assert.strictEqual(
          yield* errnoOf(kernel.create({ name: "file", flags: O_RDWR })),
          "ESTALE",
          "the kernel asks for an open"
        )
        yield* release
        yield* Fiber.join(fiber)
      }
      assert.strictEqual(fs.statSync(path).size, 2)
    })
  )

  it.live("leaves nothing open when the wait for a lease is interrupted", () =>
    Effect.gen(function* () {
      const { kernel, served } = yield* start()
      const path = join(served, "file")
      fs.writeFileSync(path, "text")
      const { nodeid } = yield* kernel.lookup(rootNode, "file")
      const release = yield* leased(path)
      const fiber = yield* Effect.forkChild(kernel.open({ nodeid, flags: O_RDWR }), { startImmediately: true })
      yield* Effect.repeat(Effect.sleep(5), { until: isOpening })
      yield* Fiber.interrupt(fiber)
      yield* release
      const writable = () =>
        fs.readdirSync("/proc/self/fd").filter((fd) => {
          try {
            const flags = Number.parseInt(
              /^flags:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "0",
              8
            )
            return fs.readlinkSync(`/proc/self/fd/${fd}`) === path && (flags & 3) === O_RDWR
          } catch {
            return false
          }
        })
      // The thread opens it once the lease is gone, and gives it back.
      yield* Effect.repeat(Effect.sleep(5), { until: () => !isOpening() })
      yield* Effect.repeat(Effect.sleep(5), { until: () => writable().length === 0 })
    })
  )
})
