import { expect, it } from "vitest"
import { fuzz } from "../../../test/fuzz/frames.ts"

it("random and mutated frames give a value each", () => {
  const { decoded, malformed } = fuzz(30_000, 7)
  expect(decoded).toBeGreaterThan(1000)
  expect(malformed).toBeGreaterThan(1000)
}, 60_000)
