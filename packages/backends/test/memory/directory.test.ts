import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { memory } from "../../src/index.ts"
import { MemoryDirectory } from "../../src/memory/directory.ts"
import { Inode } from "../../src/posix/inode.ts"
import { epoch, makeKernel, rootNode } from "../posix/kernel.ts"

const inode = (ino: number): Inode => new Inode(ino, 0, 0o100644, 0, 0, 0, epoch, epoch, epoch)

describe("directories", () => {
  it("list each lasting entry once while others come and go", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 200 }),
        fc.array(fc.record({ add: fc.nat(6), remove: fc.array(fc.nat(400), { maxLength: 40 }), take: fc.integer({ min: 1, max: 9 }) }), { minLength: 1, maxLength: 60 }),
        (lasting, steps) => {
          const directory = new MemoryDirectory(inode(1))
          const names = new Set<string>()
          const add = (name: string): void => {
            directory.add(name, inode(2))
            names.add(name)
          }
          let next = 0
          for (let n = 0; n < lasting; n++) {
            add(`kept${n}`)
            add(`${next++}`)
          }
          const seen: Array<string> = []
          let off = 0
          const list = (most: number): boolean => {
            let taken = 0
            for (const entry of directory.after(off)) {
              if (taken++ === most) return true
              seen.push(String(entry.name))
              off = entry.off
            }
            return false
          }
          for (const { add: more, remove, take } of steps) {
            for (const n of remove) {
              directory.remove(String(n))
              names.delete(String(n))
            }
            for (let n = 0; n < more; n++) add(`${next++}`)
            list(take)
          }
          while (list(7));
          assert.strictEqual(new Set(seen).size, seen.length, "an entry came twice")
          const listed = new Set(seen)
          for (let n = 0; n < lasting; n++) assert.isTrue(listed.has(`kept${n}`))
          off = 0
          seen.length = 0
          while (list(11));
          assert.deepStrictEqual(new Set(seen), names)
          assert.strictEqual(directory.size, names.size)
        }
      ),
      { numRuns: 200 }
    )
  })

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

  it.effect("hold names that are no UTF-8, and keep them apart from those that are", () =>
    Effect.gen(function*() {
      const kernel = makeKernel(memory())
      const raw = Uint8Array.of(0xff, 0x61)
      const made = yield* kernel.mknod({ name: raw })
      raw.fill(0x62)
      yield* kernel.mknod({ name: "ÿa" })
      assert.strictEqual((yield* kernel.lookup(rootNode, Uint8Array.of(0xff, 0x61))).nodeid, made.nodeid)
      const listed = (yield* kernel.readdir(rootNode)).map(({ name }) => name)
      assert.deepStrictEqual(listed, [".", "..", Uint8Array.of(0xff, 0x61), "ÿa"])
    }))

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
