/** Programs that use their own mount synchronously. */
import { assert, describe, it } from "@effect/vitest"
import { mountWorker } from "@bickford/session"
import { findMount } from "@bickford/transport"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { cleanUp, makeMountpoint, root } from "./bickford.ts"
import { attempt, run } from "./processes.ts"

const program = join(root, "test", "mount", "programs", "synchronous.ts")
const filesystem = new URL("./programs/filesystem.ts", import.meta.url)

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
  attempt(process.execPath, ["--conditions=development", program, mountpoint, form], { timeoutMilliseconds: 20_000 })

describe("a program that uses its own mountpoint synchronously", { timeout: 60_000 }, () => {
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

describe("mountWorker", { timeout: 60_000 }, () => {
  it("unmounts when asked, and with its scope", () =>
    withFolder(async (mountpoint) => {
      await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
        const mounted = yield* mountWorker(filesystem, { mountpoint })
        yield* Effect.promise(() => run("sh", ["-c", 'echo text >"$1/file"', "sh", mountpoint]))
        yield* mounted.unmount()
        assert.strictEqual(yield* mounted.awaitEnd, "asked")
        assert.isUndefined(findMount(mountpoint))
      })))
      await Effect.runPromise(Effect.scoped(mountWorker(filesystem, { mountpoint })))
    }))

  it("what is wrong in the worker is an error here", () =>
    withFolder(async (mountpoint) => {
      const failing = (module: string | URL, where: string) => Effect.runPromise(Effect.scoped(Effect.flip(mountWorker(module, { mountpoint: where }))))
      assert.strictEqual((await failing(filesystem, join(mountpoint, "missing"))).reason, "ENOENT")
      assert.include((await failing(new URL("./oneFile.ts", import.meta.url), mountpoint)).message, "does not export a backend")
      assert.include((await failing("file:///nowhere.ts", mountpoint)).message, "Cannot find module")
    }))
})
