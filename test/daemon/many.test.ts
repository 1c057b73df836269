/** The short form of `npm run hundred-mounts`. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { keepMany } from "./many.ts"

it.live("ten mounts, one of which crashes again and again: the others are not touched", () =>
  Effect.gen(function* () {
    const {
      crashes,
      keeper: [before, after],
      touched
    } = yield* keepMany(10, 5, 50)
    assert.strictEqual(crashes, 5)
    assert.strictEqual(touched, 0)
    assert.isBelow(after - before, 40, "MiB")
  })
)
