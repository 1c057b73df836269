import type { BackendOperation } from "@bickford/protocol"
import { expect, it } from "vitest"
import type { Backend } from "../src/Backend.ts"

it("a backend may have every operation of the protocol", () => {
  // Does not compile when the interface lacks one.
  const missing: Record<Exclude<BackendOperation, keyof Backend>, never> = {}
  expect(missing).toEqual({})
})
