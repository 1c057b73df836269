import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { makeBufferPool } from "../../src/memory/bufferPool.ts"
import { chunkSize, extentSize } from "../../src/memory/extents.ts"
import { readFileSync } from "node:fs"

/** Bytes of this process that are in memory. */
const resident = (): number => 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1])

const zeros = Buffer.alloc(chunkSize)
const isZero = (bytes: Uint8Array): boolean => zeros.equals(bytes)

describe("the memory of whole chunks", () => {
  it("is zero where that is asked for, of fresh buffers and of used ones; no two overlap", () => {
    const pool = makeBufferPool()
    const first = Array.from({ length: 40 }, () => pool.takeZeroed())
    for (const [i, buffer] of first.entries()) {
      assert.strictEqual(buffer.length, chunkSize)
      assert.isTrue(isZero(buffer))
      buffer.fill(i + 1)
    }
    for (const [i, buffer] of first.entries()) assert.isTrue(Buffer.alloc(chunkSize, i + 1).equals(buffer))
    for (const buffer of first) pool.give(buffer)
    for (const _ of first) assert.isTrue(isZero(pool.takeZeroed()))
  })

  it("goes back to the system at once where it is too much to keep, and is used again", () => {
    const pool = makeBufferPool()
    const before = resident()
    const buffers = Array.from({ length: 2048 }, () => pool.take().fill(1))
    const full = resident()
    for (const buffer of buffers) pool.give(buffer)
    assert.isAbove(full - before, 200 << 20)
    assert.isBelow(resident() - before, 100 << 20)
    const again = new Set(Array.from(buffers, () => pool.takeZeroed()))
    assert.isTrue(buffers.every((buffer) => again.has(buffer)))
    for (const buffer of again) assert.isTrue(isZero(buffer))
  })

  it("an extent that is lent stays the same until it is taken over, and is nobody else's", () => {
    const pool = makeBufferPool()
    const lend = pool.makeLender()
    const other = pool.makeLender()
    const extent = lend()
    assert.strictEqual(extent.length, extentSize)
    assert.strictEqual(lend(), extent)
    assert.notStrictEqual(other(), extent)
    assert.isUndefined(pool.takeOver(extent.slice()))
    for (let at = 0; at < extentSize; at += chunkSize) extent.fill(at / chunkSize + 1, at, at + chunkSize)
    const buffers = pool.takeOver(extent) ?? []
    assert.deepStrictEqual(
      buffers.map((bytes) => [bytes.length, bytes[0], bytes.at(-1)]),
      Array.from({ length: 8 }, (_, at) => [chunkSize, at + 1, at + 1])
    )
    assert.isUndefined(pool.takeOver(extent), "once")
    assert.notStrictEqual(lend(), extent)
    for (const bytes of buffers) pool.give(bytes)
    const third = pool.makeLender()
    assert.strictEqual(third(), extent, "whole again, it is lent again")
  })

  it("whatever is taken, lent, taken over and given back in whatever order, no memory is anybody's twice", () =>
    fc.assert(
      fc.property(
        fc.array(fc.nat(6), { minLength: 50, maxLength: 400 }),
        fc.infiniteStream(fc.nat(1000)),
        (steps, picks) => {
          const pool = makeBufferPool()
          const lend = pool.makeLender()
          /** Whose first byte says which it is. */
          const held = new Map<number, Uint8Array>()
          let tag = 0
          const hold = (bytes: Uint8Array): void => {
            tag = (tag + 1) % 256
            while (held.has(tag)) tag = (tag + 1) % 256
            bytes[0] = tag
            bytes[chunkSize - 1] = tag
            held.set(tag, bytes)
          }
          for (const step of steps) {
            if (step < 2 && held.size > 0) {
              const [key, bytes] = Array.from(held)[(picks.next().value ?? 0) % held.size] ?? [0, new Uint8Array(0)]
              held.delete(key)
              pool.give(bytes)
            } else if (held.size > 200) continue
            else if (step === 2) hold(pool.take())
            else if (step === 3) {
              const bytes = pool.takeZeroed()
              assert.isTrue(isZero(bytes))
              hold(bytes)
            } else if (step === 4) lend().fill(0xff)
            else if (step === 5) for (const bytes of pool.takeOver(lend()) ?? []) hold(bytes)
            else if (step === 6) lend().fill(0)
            for (const [key, bytes] of held) assert.isTrue(bytes[0] === key && bytes[chunkSize - 1] === key)
          }
        }
      ),
      { numRuns: 20 }
    ))

  it("a buffer of another size is nobody's", () => {
    const pool = makeBufferPool()
    pool.give(new Uint8Array(5))
    assert.strictEqual(pool.take().length, chunkSize)
  })
})
