/** The page reads the history that the daemon writes. */
import { assert, it } from "@effect/vitest"
import { historyCsv } from "../../daemon/src/dashboard/history.ts"
import { minutesOf } from "../src/page/minutes.ts"

it("the minutes of a CSV are those that were written", () => {
  const minute = { minute: 30, operations: 9, errors: 1, bytesRead: 2, bytesWritten: 3, p50: 4, p99: 5, workerRss: 6 }
  assert.deepStrictEqual(minutesOf(historyCsv([minute])), [
    { at: 1_800_000, operations: 9, errors: 1, bytesRead: 2, bytesWritten: 3, p99: 5, workerBytes: 6 }
  ])
  assert.deepStrictEqual(minutesOf(historyCsv([])), [])
})
