import type { Request } from "@bickford/protocol"
import { rowOf } from "@bickford/protocol/codec"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type InFlight, InFlightTable, makeInFlight } from "../../src/connection/InFlightTable.ts"

const entryOf = (unique: number): InFlight => {
  const request: Request = { op: "statfs", unique, nodeid: 1, uid: 0, gid: 0, pid: 0 }
  return makeInFlight(unique, rowOf(request), request, { detached: { uniqueLow: unique, uniqueHigh: 0 } }, undefined)
}

describe("InFlightTable", () => {
  it("holds what an array holds, in the same order, whatever comes and goes", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ at: fc.nat(9), add: fc.boolean() }), { maxLength: 100 }), (steps) => {
        // Two requests of each number, as a kernel that numbers wrongly sends them.
        const entries = Array.from({ length: 10 }, (_, at) => entryOf(at >>> 1))
        const table = new InFlightTable()
        let model: ReadonlyArray<InFlight> = []
        for (const { add, at } of steps) {
          const entry = entries[at] ?? entryOf(0)
          if (add) {
            table.add(entry)
            if (!model.includes(entry)) model = [...model, entry]
          } else {
            table.delete(entry)
            model = model.filter((other) => other !== entry)
          }
          expect(table.values()).toStrictEqual(model)
          expect(table.size).toBe(model.length)
          for (const { unique } of entries)
            expect(table.get(unique)).toBe(model.findLast((other) => other.unique === unique))
        }
      })
    )
  })

  it("calls back once, when the last one has gone", () => {
    const table = new InFlightTable()
    const entry = entryOf(1)
    table.add(entry)
    let calls = 0
    table.whenEmpty(() => calls++)
    const cancel = table.whenEmpty(() => expect.unreachable("it was cancelled"))
    cancel()
    expect(calls).toBe(0)
    table.delete(entry)
    table.delete(entry)
    expect(calls).toBe(1)
  })
})
