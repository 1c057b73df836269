/** The whole table in every place that claims all of it; the path filesystem of the tests does not. */
import { assert, describe, it } from "@effect/vitest"
import { groups } from "./groups/index.ts"
import { places } from "./places.ts"
import { type GroupReport, runTable } from "./runTable.ts"

describe("the table of behaviours", () => {
  for (const name of [
    "plain",
    "memory",
    "sqlite",
    "workspace",
    "postgres",
    "passthrough",
    "passthroughInNode",
    "memoryOnRings",
    "passthroughOnRings",
    "passthroughByIsolates"
  ] as const) {
    it(`holds in ${name}`, () =>
      places[name](async (place) => {
        const reports: Array<GroupReport> = []
        await runTable(place, groups, (report) => reports.push(report))
        assert.deepStrictEqual(
          reports.flatMap(({ failed, name: group }) => failed.map((why) => `${group}: ${why}`)),
          []
        )
        assert.isAtLeast(
          reports.reduce((sum, { passed }) => sum + passed, 0),
          500
        )
      }))
  }
})
