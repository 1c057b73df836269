/** What the other files here test over a socketpair, with a fake kernel that delivers over io_uring as a real one does. */
import { FakeKernel } from "@bickford/session/testing"
import { afterAll, assert, vi } from "vitest"
import type { SessionOptions } from "../../packages/session/src/SessionOptions.ts"
import type { BackendSource } from "@bickford/session"
import * as Effect from "effect/Effect"

const rings: Array<() => number> = []

vi.mock("@bickford/session/testing", async (original) => {
  const real = await original<typeof import("@bickford/session/testing")>()
  const serve = (source: BackendSource, options?: SessionOptions) =>
    Effect.tap(real.FakeKernel.serveOverRing(source, options), ({ rung }) => Effect.sync(() => void rings.push(rung)))
  return { ...real, FakeKernel: { ...real.FakeKernel, serve } }
})

await import("./data.test.ts")
await import("./directReads.test.ts")
await import("./fileRange.test.ts")
await import("./forget.test.ts")
await import("./groupCommit.test.ts")
await import("./hostile.test.ts")
await import("./interrupts.test.ts")
await import("./invariants.test.ts")
await import("./limits.test.ts")
await import("./notify.test.ts")
await import("./observe.test.ts")
await import("./pathCalls.test.ts")
await import("./promises.test.ts")
await import("./session.test.ts")

afterAll(() => {
  assert.notStrictEqual(FakeKernel.serve, FakeKernel.serveOverRing)
  const rung = rings.map((count) => count()).reduce((sum, count) => sum + count, 0)
  assert.isAbove(rung, 100, "hardly a request came by a ring")
})
