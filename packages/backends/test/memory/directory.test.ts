import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { memory } from "../../src/index.ts"
import { MemoryDirectory } from "../../src/memory/directory.ts"
import { inode, testDirectories } from "../posix/directory.ts"
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
        for (let n = 0; n < 150; n++) directory.remove(String(n))
      }
    }
    assert.deepStrictEqual(seen.slice(100), Array.from({ length: 50 }, (_, n) => String(150 + n)))
  })

  it.effect("list a million entries in pages, while the first half is removed", () =>
    Effect.gen(function*() {
      const kernel = makeKernel(memory())
      const total = 1_000_000
      for (let n = 0; n < total; n++) yield* kernel.mknod({ name: `f${n}` })
      let off: number | bigint = 0
      let seen = 0
      for (;;) {
        const page: ReadonlyArray<{ readonly off: number | bigint; readonly name: string | Uint8Array }> = yield* kernel.readdir(rootNode, off, 1000)
        const last = page[page.length - 1]
        if (last === undefined) break
        seen += page.length
        off = last.off
        if (seen < total / 2) for (const { name } of page) if (String(name).startsWith("f")) yield* kernel.unlink(rootNode, name)
      }
      assert.strictEqual(seen, total + 2)
    }), 120_000)
})
