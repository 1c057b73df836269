import { assert, describe, it } from "@effect/vitest"
import { memory } from "../../src/index.ts"
import { MemoryDirectory } from "../../src/memory/directory.ts"
import type { Name, U64 } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import { inode, listWhileRemoving, testDirectories } from "../posix/directory.ts"
import { makeKernel, rootNode } from "../posix/kernel.ts"

testDirectories(() => new MemoryDirectory(inode(1)), 200)

describe("directories", () => {
  it("go on in a listing that is being walked when the order is rebuilt", () => {
    const directory = new MemoryDirectory(inode(1))
    for (let n = 0; n < 200; n++) directory.add(String(n), inode(2))
    const seen: Array<string> = []
    for (const entry of directory.after(0)) {
      seen.push(String(entry.name))
      if (seen.length === 100) {
        for (let n = 50; n < 200; n++) directory.remove(String(n))
      }
    }
    assert.deepStrictEqual(
      seen.slice(100),
      Array.from({ length: 50 }, (_, n) => String(49 - n))
    )
  })

  it.effect("keep an entry's cookie when it is renamed, so that a listing has each once", () =>
    Effect.gen(function* () {
      const kernel = makeKernel(memory())
      for (let n = 0; n < 50; n++) yield* kernel.mknod({ name: `f${n}` })
      const seen = new Set<number>()
      let off: U64 = 0
      for (;;) {
        const entry: { readonly off: U64; readonly ino: U64; readonly name: Name } | undefined = (yield* kernel.readdir(
          rootNode,
          off,
          1
        ))[0]
        if (entry === undefined) break
        off = entry.off
        if (entry.off <= 2) continue
        assert.isFalse(seen.has(Number(entry.ino)), "an entry came twice")
        seen.add(Number(entry.ino))
        yield* kernel.rename(rootNode, entry.name, rootNode, `${String(entry.name)}.renamed`)
      }
      assert.strictEqual(seen.size, 50)
    })
  )

  it("have cookies that fit 31 bits, also when all were given out once", () => {
    // As after 2^31 - 8 entries that came and went.
    const directory = new MemoryDirectory(inode(1), 7)
    for (let n = 0; n < 20; n++) directory.add(String(n), inode(2))
    directory.remove("3")
    const entries = Array.from(directory.after(0))
    assert.sameMembers(
      entries.map(({ name }) => name),
      Array.from({ length: 20 }, (_, n) => String(n)).filter((name) => name !== "3")
    )
    const offs = entries.map(({ off }) => off)
    assert.deepStrictEqual(
      offs,
      [...new Set(offs)].sort((a, b) => a - b)
    )
    assert.isTrue(offs.every((off) => off > 2 && off < 2 ** 31))
    for (const { name, off } of entries)
      assert.notInclude(
        Array.from(directory.after(off), (next) => next.name),
        name
      )
  })

  it.effect(
    "list a million entries in pages, while the first half is removed",
    () => listWhileRemoving(makeKernel(memory()), 1_000_000, 1000),
    120_000
  )
})
