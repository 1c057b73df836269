import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { Bytes } from "../../src/posix/bytes.ts"

const span = 600_000
const block = 4096

const flat = (data: Uint8Array | ReadonlyArray<Uint8Array>): Uint8Array =>
  data instanceof Uint8Array ? data : Buffer.concat([...data])

/** Offsets that are often at the edges of blocks and chunks. */
const anyOffset = fc.oneof(
  fc.integer({ min: 0, max: span - 1 }),
  fc.integer({ min: 0, max: Math.floor((span - 1) / block) }).map((n) => n * block),
  fc.constantFrom(131071, 131072, 131073, 262143, 262144, 65535, 65536, 65537, 4095, 4097)
)
const anyLength = fc.oneof(
  fc.integer({ min: 1, max: 200_000 }),
  fc.integer({ min: 1, max: 9000 }),
  fc.constantFrom(block, 65536, 131072, 262144)
)
const step = fc.record({
  kind: fc.constantFrom("write", "write", "write", "punch", "zero", "allocate", "truncate"),
  offset: anyOffset,
  length: anyLength,
  fill: fc.integer({ min: 1, max: 255 })
})

const each = (from: number, to: number, visit: (n: number) => void): void => {
  for (let n = from; n < to; n++) visit(n)
}

/**
 * `make` gives an empty file's bytes; `settle` is called between their operations, to store what is kept
 * for later.
 */
export const testBytes = (make: () => Bytes, settle: () => void, runs: number): void => {
  describe("bytes", () => {
    it("agree with a plain array and a set of blocks", () => {
      fc.assert(
        fc.property(
          fc.array(step, { minLength: 1, maxLength: 25 }),
          anyOffset,
          anyLength,
          (steps, readAt, readSize) => {
            const bytes = make()
            const plain = new Uint8Array(span)
            const allocated = new Set<number>()
            for (const { fill, kind, length, offset } of steps) {
              settle()
              const end = Math.min(span, offset + length)
              const first = Math.floor(offset / block)
              const last = Math.ceil(end / block)
              let fresh = 0
              each(first, last, (n) => {
                if (!allocated.has(n)) fresh++
              })
              assert.strictEqual(bytes.missing(offset, end), fresh)
              if (kind === "write") {
                bytes.write(offset, new Uint8Array(end - offset).fill(fill))
                plain.fill(fill, offset, end)
                each(first, last, (n) => allocated.add(n))
              } else if (kind === "allocate") {
                bytes.allocate(offset, end)
                each(first, last, (n) => allocated.add(n))
              } else if (kind === "zero") {
                bytes.zero(offset, end)
                plain.fill(0, offset, end)
              } else {
                const to = kind === "truncate" ? span : end
                bytes.punch(offset, kind === "truncate" ? undefined : end)
                plain.fill(0, offset, to)
                const whole = kind === "truncate" ? Math.ceil(span / block) : Math.floor(to / block)
                each(Math.ceil(offset / block), whole, (n) => allocated.delete(n))
              }
              assert.strictEqual(bytes.blocks, allocated.size)
            }
            assert.isTrue(Buffer.from(plain).equals(flat(bytes.read(0, span))))
            const size = Math.min(readSize, span - readAt)
            assert.isTrue(Buffer.from(plain.subarray(readAt, readAt + size)).equals(flat(bytes.read(readAt, size))))

            const at = Math.floor(readAt / block)
            let data: number | undefined
            for (let n = at; n < span / block && data === undefined; n++)
              if (allocated.has(n)) data = Math.max(readAt, n * block)
            assert.strictEqual(bytes.data(readAt), data)
            let hole = at
            while (allocated.has(hole)) hole++
            assert.strictEqual(bytes.hole(readAt), Math.max(readAt, hole * block))

            const room = 3
            let fits = 0
            for (let n = at, left = room; fits < size; n++) {
              if (!allocated.has(n) && left-- <= 0) break
              fits = Math.min(size, (n + 1) * block - readAt)
            }
            assert.strictEqual(bytes.fitting(readAt, size, room), fits)
          }
        ),
        { numRuns: runs }
      )
    })

    it("hold bytes at the end of the largest file", () => {
      const bytes = make()
      const end = 2n ** 63n - 1n
      bytes.write(end - 3n, Uint8Array.of(1, 2, 3))
      assert.deepStrictEqual([...flat(bytes.read(end - 5n, 5))], [0, 0, 1, 2, 3])
      assert.strictEqual(bytes.blocks, 1)
      assert.strictEqual(bytes.data(0), 2n ** 63n - 4096n)
      assert.strictEqual(bytes.hole(5), 5)
      assert.strictEqual(bytes.hole(end - 1n), 2n ** 63n)
      bytes.punch(2 ** 40, undefined)
      assert.strictEqual(bytes.blocks, 0)
      assert.strictEqual(bytes.data(0), undefined)
    })

    it("keep offsets beyond 2^53 apart", () => {
      const bytes = make()
      const odd = 2n ** 53n + 1n
      bytes.write(odd, Uint8Array.of(7))
      assert.deepStrictEqual([...flat(bytes.read(2n ** 53n, 3))], [0, 7, 0])
    })
  })
}
