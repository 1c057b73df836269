/** What INIT agrees on has words on the page. */
import { assert, it } from "@effect/vitest"
import { memory } from "@bickford/backends"
import { FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import { agreed, silent } from "../../packages/dashboard/src/page/agreed.ts"

it.live("each field is told in words, or left out on purpose", () =>
  Effect.gen(function* () {
    const { kernel, session } = yield* FakeKernel.serve(memory())
    yield* kernel.init()
    const negotiated = { ...session.connection.negotiated }
    const fields = Object.keys(negotiated)
    assert.isAbove(fields.length, 30)
    const told = agreed(negotiated)
    assert.lengthOf(told, fields.filter((field) => !silent.has(field)).length)
    for (const [term, text] of told) {
      assert.isFalse(fields.includes(term), `${term} has no words`)
      assert.notMatch(text, /undefined|NaN|object/)
    }
    assert.strictEqual(Object.fromEntries(told)["Transport"], "/dev/fuse")
  })
)

it("a field of a later daemon is shown as it is", () => {
  assert.deepStrictEqual(agreed({ later: true, constructor: 7 }), [
    ["later", "yes"],
    ["constructor", "7"]
  ])
})
