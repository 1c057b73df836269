/** Listings of a mount table's folders, which hold names of its own and those of a backend. */
import { assert, describe, it } from "@effect/vitest"
import type { Name, U64 } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { memory, mountTable } from "../../src/index.ts"
import { cookieAfter, cookieWithin } from "../../src/combinators/table/cookies.ts"
import { makeKernel, rootNode } from "../posix/kernel.ts"

describe("a listing of a table's folder", () => {
  it.effect("goes on from every cookie, each of which fits 31 bits", () =>
    Effect.gen(function* () {
      const below = memory()
      const kernel = makeKernel(mountTable({ "/": below, "/one": memory(), "/two/three": memory() }))
      for (let n = 0; n < 20; n++) yield* kernel.mknod({ name: `f${n}` })
      // Hidden by the table's own.
      yield* makeKernel(below).mkdir({ name: "one" })
      const names: Array<Name> = []
      let off: U64 = 0
      for (;;) {
        const entry: { readonly off: U64; readonly name: Name } | undefined = (yield* kernel.readdir(
          rootNode,
          off,
          1
        ))[0]
        if (entry === undefined) break
        off = entry.off
        names.push(entry.name)
        assert.isTrue(off < 2 ** 31, `${String(entry.name)} has the cookie ${off}`)
      }
      assert.sameMembers(names, [".", "..", "one", "two", ...Array.from({ length: 20 }, (_, n) => `f${n}`)])
    })
  )

  it("finds the backend's cookie again, whatever it is", () => {
    const cookie = fc.oneof(
      fc.bigInt({ min: 1n, max: 2n ** 62n - 100n }),
      fc.bigInt({ min: 2n ** 62n, max: 2n ** 64n - 1n }),
      fc.constant(2n ** 63n - 1n)
    )
    fc.assert(
      fc.property(cookie, fc.integer({ min: 1, max: 99 }), (inner, own) => {
        const outer = cookieAfter(own)(inner)
        assert.strictEqual(BigInt(cookieWithin(own)(outer)), inner)
        assert.isTrue(outer < 2n ** 64n)
      })
    )
  })
})
