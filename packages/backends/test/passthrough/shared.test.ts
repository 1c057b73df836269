/** What other files here test of a served folder, of one whose nodes and open files several isolates could share. */
import { assert, vi } from "vitest"

vi.mock("../../src/index.ts", async (original) => {
  const real = await original<typeof import("../../src/index.ts")>()
  const Effect = await import("effect/Effect")
  return {
    ...real,
    passthrough: (...[directory, options]: Parameters<typeof real.passthrough>) =>
      Effect.tap(real.passthrough(directory, { ...options, shared: true }), (backend) =>
        Effect.sync(() => assert.isDefined(backend.shared, "it is not shared"))
      )
  }
})

await import("./changing.test.ts")
await import("./location.test.ts")
await import("./passthrough.test.ts")
await import("./waiting.test.ts")
