import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import type { Name, U64 } from "@bickford/protocol"
import type { Directory } from "../../src/posix/filesystem.ts"
import { Inode } from "../../src/posix/inode.ts"
import { epoch, makeKernel, rootNode } from "./kernel.ts"
import type { Make } from "./make.ts"

export const inode = (ino: number): Inode => new Inode(ino, 0, 0o100644, 0, 0, 0, epoch, epoch, epoch)

/** `make` gives an empty directory, in which inode 2 is found. */
export const testDirectories = (make: () => Directory, runs: number): void => {
  describe("directories", () => {
    it("list each lasting entry once while others come and go", () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 0, max: 200 }),
          fc.array(
            fc.record({
              add: fc.nat(6),
              remove: fc.array(fc.nat(400), { maxLength: 40 }),
              take: fc.integer({ min: 1, max: 9 })
            }),
            { minLength: 1, maxLength: 60 }
          ),
          (lasting, steps) => {
            const directory = make()
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
            let off: U64 = 0
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
            assert.strictEqual(directory.empty, names.size === 0)
          }
        ),
        { numRuns: runs }
      )
    })
  })
}

type Listing = { readonly off: U64; readonly name: Name } | undefined

/** What is done to each entry of a listing as it comes, `n` counting up. */
const whileListing: {
  readonly [what: string]: (
    kernel: ReturnType<typeof makeKernel>,
    name: Name,
    n: number
  ) => Effect.Effect<unknown, unknown>
} = {
  "renamed and renamed back": (kernel, name) =>
    Effect.andThen(kernel.rename(rootNode, name, rootNode, "moved"), kernel.rename(rootNode, "moved", rootNode, name)),
  renamed: (kernel, name, n) => kernel.rename(rootNode, name, rootNode, `renamed${n}`),
  copied: (kernel, _name, n) => kernel.mknod({ name: `copy${n}` }),
  "replaced by a new file": (kernel, name) =>
    Effect.andThen(kernel.mknod({ name: "fresh" }), kernel.rename(rootNode, "fresh", rootNode, name)),
  "removed and made anew": (kernel, name) => Effect.andThen(kernel.unlink(rootNode, name), kernel.mknod({ name })),
  "given a second name, and its first taken": (kernel, name, n) =>
    Effect.gen(function* () {
      const { nodeid } = yield* kernel.lookup(rootNode, name)
      yield* kernel.link(nodeid, rootNode, `second${n}`)
      yield* kernel.unlink(rootNode, name)
    })
}

export const testDirectoryNames = (make: Make): void => {
  describe("a listing ends while each of its entries is", () => {
    for (const [what, act] of Object.entries(whileListing)) {
      it.effect(what, () =>
        Effect.gen(function* () {
          const kernel = makeKernel(yield* make())
          const total = 60
          for (let n = 0; n < total; n++) yield* kernel.mknod({ name: `f${n}` })
          let off: U64 = 0
          let seen = 0
          for (;;) {
            const entry: Listing = (yield* kernel.readdir(rootNode, off, 1))[0]
            if (entry === undefined) break
            off = entry.off
            if (entry.name === "." || entry.name === "..") continue
            seen++
            // Names that come to a random place: each that is listed may put one before the listing again.
            assert.isBelow(seen, 20 * total, "it has no end")
            yield* act(kernel, entry.name, seen)
          }
          assert.isAtLeast(seen, total / 2)
        })
      )
    }
  })

  describe("directories", () => {
    it.effect("hold names that are no UTF-8, and keep them apart from those that are", () =>
      Effect.gen(function* () {
        const kernel = makeKernel(yield* make())
        const raw = Uint8Array.of(0xff, 0x61)
        const made = yield* kernel.mknod({ name: raw })
        raw.fill(0x62)
        yield* kernel.mknod({ name: "ÿa" })
        assert.strictEqual((yield* kernel.lookup(rootNode, Uint8Array.of(0xff, 0x61))).nodeid, made.nodeid)
        const listed = (yield* kernel.readdir(rootNode)).map(({ name }) => name)
        assert.sameDeepMembers(listed, [".", "..", Uint8Array.of(0xff, 0x61), "ÿa"])
      })
    )
  })
}

/** Lists a directory of `total` files page by page, and removes those of the first half as it goes. */
export const listWhileRemoving = Effect.fnUntraced(function* (
  kernel: ReturnType<typeof makeKernel>,
  total: number,
  page: number
) {
  for (let n = 0; n < total; n++) yield* kernel.mknod({ name: `f${n}` })
  let off: U64 = 0
  let seen = 0
  for (;;) {
    const entries: ReadonlyArray<{ readonly off: U64; readonly name: Name }> = yield* kernel.readdir(
      rootNode,
      off,
      page
    )
    const last = entries[entries.length - 1]
    if (last === undefined) break
    seen += entries.length
    off = last.off
    if (seen < total / 2)
      for (const { name } of entries) if (String(name).startsWith("f")) yield* kernel.unlink(rootNode, name)
  }
  assert.strictEqual(seen, total + 2)
})
