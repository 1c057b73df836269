import { DatabaseSync } from "node:sqlite"
import { describe, expect, test } from "vitest"
import { makeChunkMemory } from "../../src/sqlite/chunkMemory.ts"
import { type Chunk, makeChunkStore } from "../../src/sqlite/chunkStore.ts"
import { makeCollector } from "../../src/sqlite/collector.ts"
import { chunkSize, migrate, migrations } from "../../src/sqlite/schema.ts"
import { makeTransaction } from "../../src/sqlite/transaction.ts"

describe("the memory of chunks", () => {
  test("is used again when it is that of a whole chunk", () => {
    const memory = makeChunkMemory(1)
    const first = memory.take(chunkSize)
    memory.give(first)
    expect(memory.take(chunkSize - 1)).toBe(first)
    expect(memory.take(chunkSize)).not.toBe(first)
  })

  test("goes back at once, a small chunk's and what is more than is kept", () => {
    const memory = makeChunkMemory(1)
    const [kept, tooMuch, small] = [memory.take(chunkSize), memory.take(chunkSize), memory.take(5000)]
    expect(small.length).toBe(8192)
    for (const bytes of [kept, tooMuch, small]) memory.give(bytes)
    expect([kept, tooMuch, small].map(({ buffer }) => buffer.detached)).toEqual([false, true, true])
  })

  test("takes a row over, whose own goes back at once", () => {
    const memory = makeChunkMemory(1)
    const whole = new Uint8Array(chunkSize).fill(7)
    const small = new Uint8Array([1, 2, 3])
    expect(memory.takeOver(whole).every((byte) => byte === 7)).toBe(true)
    expect(whole.buffer.detached).toBe(true)
    expect(memory.takeOver(small)).toBe(small)
  })
})

describe("held chunks", () => {
  const makeStore = () => {
    const db = new DatabaseSync(":memory:")
    migrate(db, 0, migrations)
    const transaction = makeTransaction(db)
    const store = makeChunkStore(db, transaction, makeCollector(db, transaction))
    const dropped: Array<number> = []
    const owner = { id: 1, dropped: (chunk: Chunk) => void dropped.push(chunk.position) }
    const hold = (position: number): Chunk => {
      const chunk: Chunk = { owner, position, blocks: 1, bytes: new Uint8Array(1), used: 1, dirty: false }
      store.keep(chunk)
      return chunk
    }
    return { store, dropped, hold }
  }

  test("are 1024 at the most, though there is no commit while files are only read", () => {
    const { dropped, hold } = makeStore()
    for (let position = 0; position < 1030; position++) hold(position)
    expect(dropped).toEqual([0, 1, 2, 3, 4, 5])
  })

  test("stay until the commit when they have changed", () => {
    const { dropped, hold, store } = makeStore()
    store.changed(hold(0))
    for (let position = 1; position < 1030; position++) hold(position)
    expect(dropped).toEqual([])
    store.flushAll()
    store.trim()
    expect(dropped).toEqual([0, 1, 2, 3, 4, 5])
    expect(store.load({ id: 1, dropped: () => {} }, 0)).toMatchObject({ blocks: 1, used: 1 })
  })
})
