/** Handles that are forgotten, environments that end. */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { Worker } from "node:worker_threads"

const program = (name: string): string => fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url))

const run = async (name: string): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--expose-gc",
    "--conditions=development",
    program(name)
  ])
  return stdout.trim()
}

const openDescriptors = (): number => readdirSync("/proc/self/fd").length

describe("lifetime", () => {
  it("the garbage collector closes forgotten handles", async () => {
    assert.strictEqual(await run("forgotten"), "0")
  })

  it("a handle that is waited for is not collected", async () => {
    assert.strictEqual(await run("armed"), "0")
  })

  it("two worker threads use the addon at once, and end without leaving a descriptor", async () => {
    const frames = 20_000
    const serve = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const worker = new Worker(new URL("programs/worker.ts", import.meta.url), {
          workerData: { frames },
          execArgv: ["--conditions=development"]
        })
        worker.once("error", reject)
        worker.once("message", (received: number) => {
          worker.terminate().then(() => resolve(received), reject)
        })
      })
    // The first workers leave what the program needs once: a pool, a cache.
    await serve()
    const before = openDescriptors()
    assert.deepStrictEqual(await Promise.all([serve(), serve()]), [frames, frames])
    assert.strictEqual(openDescriptors(), before)
  })
})
