import { assert, describe, it } from "@effect/vitest"
import { memory } from "../../src/index.ts"
import { MemoryDirectory } from "../../src/memory/directory.ts"
import { inode, listWhileRemoving, testDirectories } from "../posix/directory.ts"
import { makeKernel } from "../posix/kernel.ts"

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
    listWhileRemoving(makeKernel(memory()), 1_000_000, 1000), 120_000)
})
