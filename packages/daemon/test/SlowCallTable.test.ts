/** What is kept of slow calls. */
import { assert, it } from "@effect/vitest"
import { SlowCallTable } from "../src/keeper/SlowCallTable.ts"
import type { SlowCall } from "../src/worker/messages.ts"

const call = (microseconds: number): SlowCall => ({
  at: "2026-11-28T06:44:43.792Z",
  opcode: "READ",
  unique: "2",
  pid: 7,
  microseconds
})

it("the slowest 50 of the last hour are kept, and those that wait as they were told last", () => {
  let now = 0
  const table = new SlowCallTable(() => now)
  for (let n = 1; n <= 60; n++) table.add(call(n))
  assert.deepStrictEqual(
    table.report().slow.map(({ microseconds }) => microseconds),
    Array.from({ length: 50 }, (_, n) => 60 - n)
  )
  now = 3_599_999
  table.add(call(5))
  assert.lengthOf(table.report().slow, 50, "the quickest has to go")
  now = 3_600_000
  assert.lengthOf(table.report().slow, 0)
  table.wait([{ ...call(9), state: "waiting" }])
  assert.deepStrictEqual(table.report().stuck, [{ ...call(9), state: "waiting" }])
  table.wait([])
  assert.deepStrictEqual(table.report(), { slow: [], stuck: [] })
})
