/** Programs that use their own mount synchronously. */
import { assert, describe, it } from "@effect/vitest"
import { mountWorker } from "@bickford/session"
import { findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { mkdir, rmdir } from "node:fs/promises"
import { join } from "node:path"
import { Worker } from "node:worker_threads"
import { cleanUp, makeMountpoint, root } from "./bickford.ts"
import { attempt, ended, run } from "./processes.ts"

const program = join(root, "test", "mount", "programs", "synchronous.ts")
const filesystem = new URL("./programs/filesystem.ts", import.meta.url)

const doomed = new URL("./programs/doomed.ts", import.meta.url)

const withFolder = async (body: (mountpoint: string) => Promise<void>): Promise<void> => {
  const mountpoint = await makeMountpoint()
  try {
    await body(mountpoint)
    assert.isUndefined(findMount(mountpoint))
  } finally {
    await cleanUp(mountpoint, [])
  }
}

const synchronous = (mountpoint: string, form: string) =>
  attempt(process.execPath, ["--conditions=development", program, mountpoint, form])

describe("a program that uses its own mountpoint synchronously", () => {
  it("works with the mount in a worker thread", () =>
    withFolder(async (mountpoint) => {
      const outcome = await synchronous(mountpoint, "worker")
      assert.strictEqual(outcome.stdout, "file,folder text text\nunmounting\n", outcome.stderr)
      assert.strictEqual(outcome.status, 0)
    }))

  it("does not hang for ever with the mount in the same thread, and is told why", () =>
    withFolder(async (mountpoint) => {
      const outcome = await synchronous(mountpoint, "thread")
      assert.match(outcome.stderr, /this program waits for itself: .*worker thread/)
      assert.match(outcome.stdout, /^E(CONNABORTED|NOTCONN|IO)\naborted\n$/, outcome.stderr)
      assert.strictEqual(outcome.status, 0)
    }))
})

describe("mountWorker", () => {
  it("unmounts when asked, and with its scope", () =>
    withFolder(async (mountpoint) => {
      await Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const mounted = yield* mountWorker(filesystem, { mountpoint })
            yield* Effect.promise(() => run("sh", ["-c", 'echo text >"$1/file"', "sh", mountpoint]))
            yield* mounted.unmount()
            assert.strictEqual(yield* mounted.awaitEnd, "asked")
            assert.isUndefined(findMount(mountpoint))
          })
        )
      )
      await Effect.runPromise(Effect.scoped(mountWorker(filesystem, { mountpoint })))
    }))

  it("a thread that its backend ends leaves no dead mountpoint, and nobody hanging", () =>
    withFolder(async (mountpoint) => {
      await Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const mounted = yield* mountWorker(doomed, { mountpoint })
            const outcome = yield* Effect.promise(() => attempt("cat", [join(mountpoint, "exit")]))
            assert.notStrictEqual(outcome.status, 0)
            assert.strictEqual(yield* mounted.awaitEnd, "failed")
            assert.isUndefined(findMount(mountpoint))
            assert.include((yield* Effect.flip(mounted.unmount())).message, "nothing is mounted")
          })
        )
      )
    }))

  it("a thread that does not answer is ended by force with its scope", () =>
    withFolder(async (mountpoint) => {
      const hanging = await Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const mounted = yield* mountWorker(doomed, {
              mountpoint,
              stopTimeout: "10 millis",
              session: { drain: "10 millis" }
            })
            const program = spawn("cat", [join(mountpoint, "spin")], { stdio: "ignore" })
            const waiting = `/sys/fs/fuse/connections/${mounted.device.slice(mounted.device.indexOf(":") + 1)}/waiting`
            yield* Effect.repeat(Effect.yieldNow, { until: () => readFileSync(waiting, "utf8") !== "0\n" })
            return program
          })
        )
      )
      assert.notStrictEqual((await ended(hanging)).status, 0)
    }))

  it("what is wrong in the worker is an error here", () =>
    withFolder(async (mountpoint) => {
      const failing = (module: string | URL, where: string) =>
        Effect.runPromise(Effect.scoped(Effect.flip(mountWorker(module, { mountpoint: where }))))
      assert.strictEqual((await failing(filesystem, join(mountpoint, "missing"))).reason, "ENOENT")
      assert.include(
        (await failing(new URL("./oneFile.ts", import.meta.url), mountpoint)).message,
        "does not export a backend"
      )
      assert.include((await failing("file:///nowhere.ts", mountpoint)).message, "Cannot find module")
    }))
})

/** A thread of a program's own, which mounts. */
const mounting = new URL("./programs/mountingThread.ts", import.meta.url)

describe("a thread of a program's own that is ended", () => {
  for (const syncInit of [false, true]) {
    it(`leaves no dead mountpoint, and nobody hanging, with syncInit ${syncInit}`, () =>
      withFolder(async (folder) => {
        // As /proc/self/mountinfo writes it, and as it is.
        const mountpoint = join(folder, "a b\\c")
        await mkdir(mountpoint)
        const worker = new Worker(mounting, { workerData: { mountpoint, syncInit } })
        const word = () => new Promise((resolve) => worker.once("message", resolve))
        try {
          assert.strictEqual(await word(), "mounted")
          await run("sh", ["-c", 'echo text >"$1/file"', "sh", mountpoint])
          const asked = word()
          const stuck = spawn("stat", [join(mountpoint, "stuck")], { stdio: "ignore" })
          assert.strictEqual(await asked, "asked")
          await worker.terminate()
          assert.isUndefined(findMount(mountpoint))
          assert.strictEqual((await ended(stuck)).status, 1)
        } finally {
          if (findMount(mountpoint) !== undefined) await run("umount", ["-l", mountpoint])
        }
        await rmdir(mountpoint)
      }))
  }

  it("leaves what is mounted over its place, and its own place, as they are", () =>
    withFolder(async (mountpoint) => {
      const worker = new Worker(mounting, { workerData: { mountpoint } })
      await new Promise((resolve) => worker.once("message", resolve))
      await run("mount", ["-t", "tmpfs", "over", mountpoint])
      await worker.terminate()
      assert.strictEqual(findMount(mountpoint)?.type, "tmpfs")
      await run("umount", [mountpoint])
      await run("umount", ["-l", mountpoint])
    }))

  it("leaves its mount where it was told to", () =>
    withFolder(async (mountpoint) => {
      const worker = new Worker(mounting, { workerData: { mountpoint, unmountOnExit: false } })
      await new Promise((resolve) => worker.once("message", resolve))
      await worker.terminate()
      assert.strictEqual(findMount(mountpoint)?.type, "fuse.bickford")
      await run("umount", ["-l", mountpoint])
    }))
})
