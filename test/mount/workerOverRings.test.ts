/** Threads that serve over io_uring, and end in every way: nobody hangs, and nothing is left. */
import { readdirSync, readlinkSync } from "node:fs"
import { assert, vi } from "vitest"

/** Rings of this process and its threads. */
const rings = (): number =>
  readdirSync("/proc/self/fd").filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).includes("io_uring")
    } catch {
      return false
    }
  }).length

vi.mock("@bickford/session", async (original) => {
  const real = await original<typeof import("@bickford/session")>()
  const { offeringRings } = await import("./enableUring.ts")
  const Effect = await import("effect/Effect")
  let ofThread: number | undefined
  return {
    ...real,
    mountWorker: (...[module, options]: Parameters<typeof real.mountWorker>) =>
      Effect.gen(function* () {
        // What libuv has for each thread is learnt from one that reads the device.
        if (ofThread === undefined && module.toString().endsWith("/filesystem.ts")) {
          const without = rings()
          ofThread = yield* Effect.scoped(Effect.map(real.mountWorker(module, options), () => rings() - without))
        }
        const before = rings()
        const mounted = yield* offeringRings(real.mountWorker(module, { ...options, threads: 1 }))
        if (ofThread !== undefined) assert.strictEqual(rings() - before, ofThread + 1, "the thread has no ring")
        return mounted
      })
  }
})

await import("./worker.test.ts")
