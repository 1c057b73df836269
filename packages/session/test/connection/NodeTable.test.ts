import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { NodeTable } from "../../src/connection/NodeTable.ts"

const nodeid = fc.oneof(
  fc.integer({ min: 2, max: 40 }),
  fc.constantFrom(1 << 24, 2 ** 40, (1n << 63n) + 5n, (1n << 64n) - 1n)
)

describe("NodeTable", () => {
  it("counts like a map of naive counters, whatever the ids", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ id: nodeid, forget: fc.option(fc.integer({ min: 1, max: 5 }), { nil: 0 }) }), {
          maxLength: 200
        }),
        (steps) => {
          const table = new NodeTable()
          const model = new Map<number | bigint, number>()
          for (const { forget, id } of steps) {
            const before = model.get(id) ?? 0
            if (forget === 0) {
              table.add(id)
              model.set(id, before + 1)
            } else {
              const gone = before > 0 && before - forget <= 0
              expect(table.forget(id, forget)).toBe(gone)
              if (before - forget <= 0) model.delete(id)
              else model.set(id, before - forget)
            }
            expect(table.count(id)).toBe(model.get(id) ?? 0)
            expect(table.size).toBe(model.size)
          }
          expect(new Map(table.entries())).toEqual(model)
        }
      )
    )
  })

  it("ignores a forget of what it does not hold", () => {
    const table = new NodeTable()
    expect(table.forget(7, 3)).toBe(false)
    expect(table.count(7)).toBe(0)
    expect(table.size).toBe(0)
  })
})
