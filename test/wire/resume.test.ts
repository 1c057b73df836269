/** A connection whose server died around INIT: the next one answers it. */
import { assert, describe, it } from "@effect/vitest"
import type { ConnectionRecord } from "@bickford/session"
import { FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import { file, hello } from "./hello.ts"

const resends = (kernel: FakeKernel.FakeKernel) =>
  kernel.notifications().filter(({ notify }) => notify === "resend").length

describe("a server that takes a connection over", () => {
  it.live("whose INIT was agreed on and not answered: answers it as it was agreed on", () =>
    Effect.gen(function* () {
      let record: ConnectionRecord | undefined
      const first = yield* FakeKernel.serve(hello(), {
        onNegotiated: (made) => Effect.sync(() => void (record = made))
      })
      const agreed = yield* first.kernel.init()
      if (record === undefined) return assert.fail("no record")
      const { kernel, session } = yield* FakeKernel.serve(hello(), { resume: record })
      assert.deepStrictEqual(yield* kernel.init(), agreed)
      assert.deepStrictEqual(yield* kernel.call({ op: "lookup", name: "hello" }), file)
      assert.strictEqual(session.connection.id, first.session.connection.id)
      assert.strictEqual(resends(kernel), 1)
    })
  )

  it.live("of which nobody knows whether INIT was read: asks for it again, and records the agreement", () =>
    Effect.gen(function* () {
      let record: ConnectionRecord | undefined
      const { kernel } = yield* FakeKernel.serve(hello(), {
        resume: { id: "connection" },
        onNegotiated: (made) => Effect.sync(() => void (record = made))
      })
      yield* kernel.init()
      assert.deepStrictEqual(yield* kernel.call({ op: "lookup", name: "hello" }), file)
      assert.strictEqual(resends(kernel), 1)
      assert.strictEqual(record?.id, "connection")
    })
  )
})
