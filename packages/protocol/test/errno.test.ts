/**
 * The table of error numbers, beside what a C program sees of `<errno.h>` on Linux x86-64. `test/golden/errno.json` is made of
 * the macros that `gcc -dM -E -x c -include errno.h /dev/null` prints.
 */
import { assert, describe, it } from "@effect/vitest"
import { errnoNumbers } from "../src/errno.ts"
import { readJson } from "./golden.ts"

describe("the errno table", () => {
  const header = readJson("errno.json")

  it("holds no name that the header lacks, and each with the header's number", () => {
    for (const [name, number] of Object.entries(errnoNumbers)) assert.strictEqual(number, header[name], name)
  })

  it("has a name for each of the header's numbers", () => {
    const known = new Set<unknown>(Object.values(errnoNumbers))
    for (const [name, number] of Object.entries(header)) assert.isTrue(known.has(number), name)
  })
})
