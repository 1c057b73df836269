/** What other files here test of mounts on `/dev/fuse`, on mounts over io_uring. */
import { afterAll, assert, vi } from "vitest"
import { offeredRings } from "./enableUring.ts"

vi.mock("./inProcess.ts", async (original) => {
  const real = await original<typeof import("./inProcess.ts")>()
  const { mountOnRings } = await import("./enableUring.ts")
  return {
    ...real,
    serve: (...[backend, options]: Parameters<typeof real.serve>) =>
      mountOnRings(real.serve(backend, { threads: 1, ...options }))
  }
})

await import("./forget.test.ts")
await import("./interrupts.test.ts")
await import("./interruptStorm.test.ts")
await import("./manyMounts.test.ts")
await import("./notify.test.ts")

afterAll(() => assert.isAbove(offeredRings(), 5, "hardly a mount was on rings"))
