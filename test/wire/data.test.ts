/** READ answered with views: what is disposable is disposed of when the reply is out. */
import { assert, it } from "@effect/vitest"
import type { AnswerOf } from "@bickford/protocol"
import { FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"

const read = (size: number) =>
  ({ op: "read", nodeid: 2, fh: 0, offset: 0, size, readFlags: 0, lockOwner: 0, flags: 0 }) as const

const filled = (byte: number, length: number) => new Uint8Array(length).fill(byte)

/** Two views whose memory goes with them. */
class Lent extends Array<Uint8Array<ArrayBuffer>> implements Disposable {
  disposals = 0;
  [Symbol.dispose](): void {
    this.disposals++
    for (const { buffer } of this) buffer.transfer(0)
  }
}

const lent = (length: number): Lent => {
  const views = new Lent()
  views.push(filled(1, length), filled(2, length))
  return views
}

for (const [how, answer] of [
  ["at once", (data: Lent): Effect.Effect<AnswerOf<"read">> => Effect.succeed(data)],
  ["after suspending", (data: Lent): Effect.Effect<AnswerOf<"read">> => Effect.as(Effect.sleep(1), data)]
] as const) {
  // Small replies are copied, large ones are gathered from where they lie.
  for (const length of [100, 60_000]) {
    it.live(`data of ${2 * length} bytes, answered ${how}, is sent whole and disposed of once`, () =>
      Effect.gen(function* () {
        const data = lent(length)
        const { kernel } = yield* FakeKernel.serve({ read: () => answer(data) })
        yield* kernel.init()
        const got = yield* kernel.call(read(2 * length))
        assert.deepStrictEqual(
          Buffer.concat(got instanceof Uint8Array ? [got] : got),
          Buffer.concat([filled(1, length), filled(2, length)])
        )
        assert.strictEqual(data.disposals, 1)
      })
    )
  }
}

it.live("a disposal that throws is a defect that is told of, and its reply has gone out", () =>
  Effect.gen(function* () {
    const data = Object.assign([filled(7, 10)], {
      [Symbol.dispose]: () => {
        throw new Error("not today")
      }
    })
    const { kernel, session } = yield* FakeKernel.serve({ read: () => Effect.succeed(data) })
    yield* kernel.init()
    const got = yield* kernel.call(read(10))
    assert.deepStrictEqual(Buffer.concat(got instanceof Uint8Array ? [got] : got), Buffer.from(filled(7, 10)))
    assert.strictEqual(session.connection.counters.defects, 1)
  })
)
