/** READ answered from a file: the transport reads it into the reply. */
import { assert, it } from "@effect/vitest"
import type { AnswerOf } from "@bickford/protocol"
import { FakeKernel } from "@bickford/session/testing"
import * as Effect from "effect/Effect"
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const read = (offset: number, size: number) => ({ op: "read", nodeid: 2, fh: 0, offset, size, readFlags: 0, lockOwner: 0, flags: 0 }) as const

const temporaryFile = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = mkdtempSync(join(tmpdir(), "bickford-range-"))
    return { folder, fd: openSync(join(folder, "file"), "w+") }
  }),
  ({ fd, folder }) =>
    Effect.sync(() => {
      closeSync(fd)
      rmSync(folder, { recursive: true })
    })
)

const content = Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => (i * 7 + (i >> 8)) & 0xff))

const bytes = (data: Uint8Array | ReadonlyArray<Uint8Array>): Buffer => Buffer.concat(data instanceof Uint8Array ? [data] : data)

for (const [how, answer] of [
  ["at once", (range: AnswerOf<"read">) => Effect.succeed(range)],
  ["after suspending", (range: AnswerOf<"read">) => Effect.as(Effect.sleep(1), range)]
] as const) {
  it.live(`a READ answered ${how} with a range of a file has its bytes, as far as the file goes`, () =>
    Effect.gen(function*() {
      const { fd } = yield* temporaryFile
      writeSync(fd, content)
      const { kernel } = yield* FakeKernel.serve({
        read: ({ nodeid, offset, size }) => answer({ fd: nodeid === 2 ? fd : 1_000_000, offset, length: size })
      })
      yield* kernel.init()
      assert.isTrue(bytes(yield* kernel.call(read(0, 4096))).equals(content.subarray(0, 4096)))
      assert.isTrue(bytes(yield* kernel.call(read(12_345, 100_000))).equals(content.subarray(12_345, 112_345)))
      assert.strictEqual(bytes(yield* kernel.call(read(content.length - 10, 4096))).length, 10)
      assert.strictEqual(bytes(yield* kernel.call(read(content.length, 4096))).length, 0)
      assert.strictEqual((yield* Effect.flip(kernel.call({ ...read(0, 1), nodeid: 3 })))._tag, "EBADF")
      assert.deepStrictEqual(kernel.unexpected(), [])
    }))
}

it.live("a range that is longer than what was asked for, or is none, is EIO", () =>
  Effect.gen(function*() {
    const { fd } = yield* temporaryFile
    writeSync(fd, content)
    const ranges = [{ fd, offset: 0, length: 4097 }, { fd, offset: -1, length: 1 }, { fd, offset: 0, length: Number.NaN }, { fd: 0.5, offset: 0, length: 1 }]
    const { kernel, session } = yield* FakeKernel.serve({ read: ({ offset }) => Effect.succeed(ranges[Number(offset)] ?? new Uint8Array()) })
    yield* kernel.init()
    for (let i = 0; i < ranges.length; i++) {
      assert.strictEqual((yield* Effect.flip(kernel.call(read(i, 4096))))._tag, "EIO")
    }
    assert.strictEqual(session.connection.counters.defects, ranges.length)
  }))
