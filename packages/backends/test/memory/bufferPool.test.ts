import { assert, describe, it } from "@effect/vitest"
import { chunkSize, makeBufferPool } from "../../src/memory/bufferPool.ts"
import { readFileSync } from "node:fs"

/** Bytes of this process that are in memory. */
const resident = (): number => 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1])

describe("the memory of whole chunks", () => {
  it("is zero where that is asked for, of fresh buffers and of used ones; no two overlap", () => {
    const pool = makeBufferPool()
    const first = Array.from({ length: 40 }, () => pool.takeZeroed())
    for (const [i, buffer] of first.entries()) {
      assert.strictEqual(buffer.length, chunkSize)
      assert.isTrue(buffer.every((byte) => byte === 0))
      buffer.fill(i + 1)
    }
    for (const [i, buffer] of first.entries()) assert.isTrue(buffer.every((byte) => byte === i + 1))
    for (const buffer of first) pool.give(buffer)
    for (const _ of first) assert.isTrue(pool.takeZeroed().every((byte) => byte === 0))
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
    for (const buffer of again) assert.isTrue(buffer.every((byte) => byte === 0))
  })

  it("a buffer of another size is nobody's", () => {
    const pool = makeBufferPool()
    pool.give(new Uint8Array(5))
    assert.strictEqual(pool.take().length, chunkSize)
  })
})
