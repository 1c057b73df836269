import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type BufferPool, chunkSize } from "../../src/memory/bufferPool.ts"
import { Chunks } from "../../src/memory/chunks.ts"

/** Gives buffers that are full of what another file left. */
const pool: BufferPool = {
  take: () => new Uint8Array(chunkSize).fill(0xa5),
  takeZeroed: () => new Uint8Array(chunkSize),
  give: (bytes) => bytes.fill(0xa5)
}
const span = 600_000
const block = 4096

const flat = (data: Uint8Array | ReadonlyArray<Uint8Array>): Uint8Array =>
  data instanceof Uint8Array ? data : Buffer.concat([...data])

/** Offsets that are often at the edges of blocks and chunks. */
const anyOffset = fc.oneof(
  fc.integer({ min: 0, max: span - 1 }),
  fc.integer({ min: 0, max: Math.floor((span - 1) / block) }).map((n) => n * block),
  fc.constantFrom(131071, 131072, 131073, 262143, 262144, 4095, 4097)
)
const anyLength = fc.oneof(fc.integer({ min: 1, max: 200_000 }), fc.integer({ min: 1, max: 9000 }), fc.constantFrom(block, 131072, 262144))
const step = fc.record({
  kind: fc.constantFrom("write", "write", "write", "punch", "zero", "allocate", "truncate"),
  offset: anyOffset,
  length: anyLength,
  fill: fc.integer({ min: 1, max: 255 })
})

const each = (from: number, to: number, visit: (n: number) => void): void => {
  for (let n = from; n < to; n++) visit(n)
}

describe("chunks", () => {
  it("agree with a plain array and a set of blocks", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), anyOffset, anyLength, (steps, readAt, readSize) => {
        const chunks = new Chunks(pool)
        const plain = new Uint8Array(span)
        const allocated = new Set<number>()
        for (const { fill, kind, length, offset } of steps) {
          const end = Math.min(span, offset + length)
          const first = Math.floor(offset / block)
          const last = Math.ceil(end / block)
          let fresh = 0
          each(first, last, (n) => {
            if (!allocated.has(n)) fresh++
          })
          assert.strictEqual(chunks.missing(offset, end), fresh)
          if (kind === "write") {
            chunks.write(offset, new Uint8Array(end - offset).fill(fill))
            plain.fill(fill, offset, end)
            each(first, last, (n) => allocated.add(n))
          } else if (kind === "allocate") {
            chunks.allocate(offset, end)
            each(first, last, (n) => allocated.add(n))
          } else if (kind === "zero") {
            chunks.zero(offset, end)
            plain.fill(0, offset, end)
          } else {
            const to = kind === "truncate" ? span : end
            chunks.punch(offset, kind === "truncate" ? undefined : end)
            plain.fill(0, offset, to)
            const whole = kind === "truncate" ? Math.ceil(span / block) : Math.floor(to / block)
            each(Math.ceil(offset / block), whole, (n) => allocated.delete(n))
          }
          assert.strictEqual(chunks.blocks, allocated.size)
        }
        assert.isTrue(Buffer.from(plain).equals(flat(chunks.read(0, span))))
        const size = Math.min(readSize, span - readAt)
        assert.isTrue(Buffer.from(plain.subarray(readAt, readAt + size)).equals(flat(chunks.read(readAt, size))))

        const at = Math.floor(readAt / block)
        let data: number | undefined
        for (let n = at; n < span / block && data === undefined; n++) if (allocated.has(n)) data = Math.max(readAt, n * block)
        assert.strictEqual(chunks.data(readAt), data)
        let hole = at
        while (allocated.has(hole)) hole++
        assert.strictEqual(chunks.hole(readAt), Math.max(readAt, hole * block))

        const room = 3
        let fits = 0
        for (let n = at, left = room; fits < size; n++) {
          if (!allocated.has(n) && left-- <= 0) break
          fits = Math.min(size, (n + 1) * block - readAt)
        }
        assert.strictEqual(chunks.fitting(readAt, size, room), fits)
      }),
      { numRuns: 300 }
    )
  })

  it("hold bytes at the end of the largest file", () => {
    const chunks = new Chunks(pool)
    const end = 2n ** 63n - 1n
    chunks.write(end - 3n, Uint8Array.of(1, 2, 3))
    assert.deepStrictEqual([...flat(chunks.read(end - 5n, 5))], [0, 0, 1, 2, 3])
    assert.strictEqual(chunks.blocks, 1)
    assert.strictEqual(chunks.data(0), 2n ** 63n - 4096n)
    assert.strictEqual(chunks.hole(5), 5)
    assert.strictEqual(chunks.hole(end - 1n), 2n ** 63n)
    chunks.punch(2 ** 40, undefined)
    assert.strictEqual(chunks.blocks, 0)
    assert.strictEqual(chunks.data(0), undefined)
  })

  it("keep offsets beyond 2^53 apart", () => {
    const chunks = new Chunks(pool)
    const odd = 2n ** 53n + 1n
    chunks.write(odd, Uint8Array.of(7))
    assert.deepStrictEqual([...flat(chunks.read(2n ** 53n, 3))], [0, 7, 0])
  })
})
