/** Random calls on a plain folder and on what we serve; `npm run differential` makes more of them. */
import { assert, describe, it } from "@effect/vitest"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { buildDriver, type Drivers, makeDrivers } from "../conformance/driver.ts"
import { places } from "../conformance/places.ts"
import { beginning, type Call } from "./calls.ts"
import { findDifference, shrink } from "./differential.ts"
import { runDifferential } from "./runDifferential.ts"

/** Drivers whose calls of chmod do nothing. */
const withoutChmod = (drivers: Drivers): Drivers => ({
  ...drivers,
  get: (who) => {
    const driver = drivers.get(who)
    return { ...driver, call: (line) => driver.call(line.replace(/^chmod (\S+) .*/, "access $1 F_OK")) }
  }
})

describe("random calls", () => {
  it("give the same in memory over io_uring", async () => {
    assert.deepStrictEqual(await runDifferential({ place: "memoryOnRings", calls: 3000, seed: 2, length: 200 }), [])
  })

  it("give the same in a directory that several isolates serve", async () => {
    const plan = { place: "passthroughByIsolates", calls: 3000, seed: 4, length: 200 } as const
    assert.deepStrictEqual(await runDifferential(plan), [])
  })

  it("give the same in memory as on a plain folder", async () => {
    assert.deepStrictEqual(await runDifferential({ place: "memory", calls: 3000, seed: 1, length: 200 }), [])
  })

  it("give the same on a branch of a full base as on a plain folder, and as on overlayfs", async () => {
    const plan = { place: "workspaceFull", calls: 3000, seed: 3, length: 200 } as const
    assert.deepStrictEqual(await runDifferential({ ...plan, against: "plainFull" }), [])
    assert.deepStrictEqual(await runDifferential({ ...plan, against: "overlayfs" }), [])
  })

  it("that differ are found, and shrunk to those that matter", () =>
    places.plain(async ({ folder }) => {
      const program = await buildDriver()
      const calls: ReadonlyArray<Call> = [
        ...beginning,
        { who: "user", line: "stat a" },
        { who: "root", line: "chmod a 0600" },
        { who: "root", line: "put b x" },
        { who: "user", line: "get a" }
      ]
      const sideFolders = ["left", "right"].map((side) => join(folder, side))
      await Promise.all(sideFolders.map((side) => mkdir(side)))
      const [left = "", right = ""] = sideFolders
      const sides = { left: makeDrivers(program, left), right: withoutChmod(makeDrivers(program, right)) }
      try {
        const found = await findDifference(sides, calls)
        if (found === undefined) throw new Error("no difference was found")
        assert.strictEqual(found.call.line, "get a")
        const [fewest] = await shrink(sides, calls, found)
        assert.deepStrictEqual(
          fewest.map(({ line }) => line),
          ["open a O_RDWR|O_CREAT 0666", "chmod a 0600"]
        )
      } finally {
        sides.left.end()
        sides.right.end()
      }
    }))
})
