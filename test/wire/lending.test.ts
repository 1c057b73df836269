/** Memory that a backend lends for the data of WRITEs. A ring has none of it: what it brings has its place already. */
import { assert, it } from "@effect/vitest"
import { FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"

it.live("memory that is lent by what throws is not lent, and the write is answered", () =>
  Effect.gen(function* () {
    const length = 1 << 17
    let asked = 0
    const { kernel, session } = yield* FakeKernel.serve({
      init: (_negotiated, { lendMemory }) => {
        lendMemory(() => {
          // The first answer is its size.
          if (++asked === 1) return new Uint8Array(length)
          throw new Error("the pool is empty")
        })
        return Effect.void
      },
      write: ({ data }) => Exit.succeed(data.length)
    })
    yield* kernel.init()
    for (let n = 0; n < 3; n++) {
      const data = Buffer.alloc(length, 1)
      const write = {
        op: "write",
        nodeid: 2,
        fh: 0,
        offset: 0,
        size: length,
        writeFlags: 0,
        lockOwner: 0,
        flags: 2,
        data
      } as const
      assert.strictEqual(yield* kernel.call(write), length)
    }
    assert.isAbove(asked, 1)
    assert.strictEqual((yield* session.supervisor.tree).restarts, 0)
  }).pipe(Effect.provide(Logger.layer([])))
)
