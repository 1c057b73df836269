/** READ answered from files: the transport reads them into the reply. */
import { assert, it } from "@effect/vitest"
import type { AnswerOf, DataPart } from "@bickford/protocol"
import { FakeKernel } from "@bickford/session/testing"
import { close, fd, type FuseHandle, pipe_pair } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as fc from "fast-check"
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const read = (offset: number, size: number) =>
  ({ op: "read", nodeid: 2, fh: 0, offset, size, readFlags: 0, lockOwner: 0, flags: 0 }) as const

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

const bytes = (data: Uint8Array | ReadonlyArray<Uint8Array>): Buffer =>
  Buffer.concat(data instanceof Uint8Array ? [data] : data)

for (const [how, answer] of [
  ["at once", (range: AnswerOf<"read">) => Effect.succeed(range)],
  ["after suspending", (range: AnswerOf<"read">) => Effect.as(Effect.sleep(1), range)]
] as const) {
  it.live(`a READ answered ${how} with a range of a file has its bytes, as far as the file goes`, () =>
    Effect.gen(function* () {
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
    })
  )
}

it.live("a range that is longer than what was asked for, or is none, is EIO", () =>
  Effect.gen(function* () {
    const { fd } = yield* temporaryFile
    writeSync(fd, content)
    const ranges = [
      { fd, offset: 0, length: 4097 },
      { fd, offset: -1, length: 1 },
      { fd, offset: 0, length: Number.NaN },
      { fd: 0.5, offset: 0, length: 1 }
    ]
    const { kernel, session } = yield* FakeKernel.serve({
      read: ({ offset }) => Effect.succeed(ranges[Number(offset)] ?? new Uint8Array())
    })
    yield* kernel.init()
    for (let i = 0; i < ranges.length; i++) {
      assert.strictEqual((yield* Effect.flip(kernel.call(read(i, 4096))))._tag, "EIO")
    }
    assert.strictEqual(session.connection.counters.defects, ranges.length)
  })
)

const near = content.subarray(0, 1000)
/** The bytes that parts stand for, up to the first file that is shorter than its part. */
const expected = (parts: ReadonlyArray<DataPart>): Buffer => {
  const all: Array<Uint8Array> = []
  for (const part of parts) {
    const some =
      part instanceof Uint8Array ? part : near.subarray(Number(part.offset), Number(part.offset) + part.length)
    all.push(some)
    if (some.length < part.length) break
  }
  return Buffer.concat(all)
}

const part = (fd: number): fc.Arbitrary<DataPart> =>
  fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.record({ fd: fc.constant(fd), offset: fc.nat(1100), length: fc.nat(400) }),
    fc.record({ fd: fc.constant(fd), offset: fc.bigInt(0n, 1100n), length: fc.nat(400) })
  )

it.live(
  "memory and ranges of files in one list, in any order: the bytes of each, as far as the first file that ends",
  () =>
    Effect.gen(function* () {
      const { fd } = yield* temporaryFile
      writeSync(fd, near)
      let parts: ReadonlyArray<DataPart> = []
      const { kernel } = yield* FakeKernel.serve({
        read: ({ offset }) => (offset === 0 ? Effect.succeed(parts) : Effect.as(Effect.sleep(0), parts))
      })
      yield* kernel.init()
      const [seed = 0] = fc.sample(fc.integer(), 1)
      for (const list of fc.sample(fc.array(part(fd), { maxLength: 8 }), { seed, numRuns: 200 })) {
        parts = list
        for (const offset of [0, 1])
          assert.isTrue(
            bytes(yield* kernel.call(read(offset, 8 * 400))).equals(expected(list)),
            `seed ${seed}: ${fc.stringify(list)}`
          )
      }
      assert.deepStrictEqual(kernel.unexpected(), [])
    })
)

it.live("a large list is put together in memory that holds it, whether its slot is still there or not", () =>
  Effect.gen(function* () {
    const { fd } = yield* temporaryFile
    writeSync(fd, content)
    const half = content.length / 2
    const list = [content.subarray(0, half), { fd, offset: half, length: half }]
    const { kernel } = yield* FakeKernel.serveOverPipes({
      read: ({ offset }) => (offset === 0 ? Effect.succeed(list) : Effect.as(Effect.sleep(0), list))
    })
    yield* kernel.init()
    for (const offset of [0, 1]) assert.isTrue(bytes(yield* kernel.call(read(offset, content.length))).equals(content))
  })
)

it.live("a list with a range is disposed of once the reply is out", () =>
  Effect.gen(function* () {
    const { fd } = yield* temporaryFile
    writeSync(fd, near)
    let disposals = 0
    const list = () =>
      Object.assign([near.subarray(0, 4), { fd, offset: 4, length: 4 }], { [Symbol.dispose]: () => void disposals++ })
    const { kernel } = yield* FakeKernel.serve({
      read: ({ offset }) => (offset === 0 ? Effect.succeed(list()) : Effect.as(Effect.sleep(0), list()))
    })
    yield* kernel.init()
    for (const offset of [0, 1]) assert.isTrue(bytes(yield* kernel.call(read(offset, 8))).equals(near.subarray(0, 8)))
    assert.strictEqual(disposals, 2)
  })
)

it.live("a range with no offset goes on where its descriptor is", () =>
  Effect.gen(function* () {
    const { fd, folder } = yield* temporaryFile
    writeSync(fd, near)
    const own = openSync(join(folder, "file"), "r")
    yield* Effect.addFinalizer(() => Effect.sync(() => closeSync(own)))
    readSync(own, Buffer.alloc(100))
    const { kernel } = yield* FakeKernel.serve({
      read: ({ size }) => Effect.succeed([{ fd: own, length: size - 3 }, Buffer.from("end")])
    })
    yield* kernel.init()
    assert.isTrue(
      bytes(yield* kernel.call(read(0, 403))).equals(Buffer.concat([near.subarray(100, 500), Buffer.from("end")]))
    )
    assert.isTrue(
      bytes(yield* kernel.call(read(0, 403))).equals(Buffer.concat([near.subarray(500, 900), Buffer.from("end")]))
    )
    assert.isTrue(bytes(yield* kernel.call(read(0, 403))).equals(near.subarray(900)))
    assert.strictEqual(bytes(yield* kernel.call(read(0, 403))).length, 0)
  })
)

const numberOf = (handle: FuseHandle): number => fd(handle) ?? assert.fail("the handle is closed")

it.live("a pipe gives what it holds, EAGAIN when that is nothing, and its end when nobody writes any more", () =>
  Effect.gen(function* () {
    const [from, to] = yield* pipe_pair
    const { kernel } = yield* FakeKernel.serve({
      read: ({ offset, size }) =>
        Effect.succeed(
          offset === 1
            ? [Buffer.from("first "), { fd: numberOf(from), length: size - 6 }]
            : { fd: numberOf(from), length: size }
        )
    })
    yield* kernel.init()
    assert.strictEqual((yield* Effect.flip(kernel.call(read(0, 4096))))._tag, "EAGAIN")
    writeSync(numberOf(to), "from a pipe")
    assert.strictEqual(bytes(yield* kernel.call(read(0, 4))).toString(), "from")
    assert.strictEqual(bytes(yield* kernel.call(read(1, 4096))).toString(), "first  a pipe")
    assert.strictEqual(bytes(yield* kernel.call(read(1, 4096))).toString(), "first ")
    yield* close(to)
    assert.strictEqual(bytes(yield* kernel.call(read(0, 4096))).length, 0)
  })
)

it.live(
  "a list that is too long, or has something in it that is neither, is EIO; a file that is gone has its own error",
  () =>
    Effect.gen(function* () {
      const { fd } = yield* temporaryFile
      writeSync(fd, near)
      const range = { fd, offset: 0, length: 10 }
      const lists: ReadonlyArray<ReadonlyArray<unknown>> = [
        [near, range],
        [range, { fd, offset: 10, length: 991 }],
        [range, undefined],
        [range, "text"],
        [range, { fd, offset: -1, length: 1 }],
        [range, { fd: 2 ** 32, offset: 0, length: 1 }],
        [range, { fd, offset: null, length: 1 }],
        [range, { fd, length: -1 }],
        [range, [near]],
        new Proxy([range], {})
      ]
      const gone = [near.subarray(0, 10), range, { fd: 1_000_000, offset: 0, length: 10 }]
      const { kernel, session } = yield* FakeKernel.serve({
        read: ({ offset }) => Effect.succeed((lists[Number(offset)] ?? gone) as ReadonlyArray<DataPart>)
      })
      yield* kernel.init()
      for (let i = 0; i < lists.length; i++) {
        assert.strictEqual((yield* Effect.flip(kernel.call(read(i, 1000))))._tag, "EIO", `list ${i}`)
      }
      assert.strictEqual(session.connection.counters.defects, lists.length)
      assert.strictEqual((yield* Effect.flip(kernel.call(read(lists.length, 1000))))._tag, "EBADF")
    }).pipe(Effect.provide(Logger.layer([])))
)
