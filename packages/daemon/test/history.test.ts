/** The last 24 hours of a mount, on disk. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { historyCsv, keepHistory, keepMinute, keptMinutes, type Minute } from "../src/dashboard/history.ts"
import { type MountNumbers, noNumbers } from "../src/metrics/numbers.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "bickford-history-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const day = 24 * 60
const name = "../../a\n<b>"
const minute = (number: number): Minute => ({
  minute: number,
  operations: number % 7,
  errors: 1,
  bytesRead: 4096,
  bytesWritten: 0,
  p50: 1.5,
  p99: 20,
  workerRss: 2 ** 26
})

it.live("holds 24 hours in a file that does not grow, each minute over that of the day before", () =>
  Effect.gen(function* () {
    const directory = yield* folder
    const first = 29_000_000
    yield* Effect.promise(async () => {
      for (let number = first; number < first + day + 10; number++) await keepMinute(directory, name, minute(number))
      const minutes = await keptMinutes(directory, name, first + day + 9)
      assert.deepStrictEqual(
        minutes.map((one) => one.minute),
        Array.from({ length: day }, (_, nth) => first + 10 + nth)
      )
      assert.deepStrictEqual(minutes[0], minute(first + 10))
      // A daemon that was away for half a day: what is older is not shown, though it is still in the file.
      assert.lengthOf(await keptMinutes(directory, name, first + day + 9 + day / 2), day / 2)
      assert.lengthOf(await keptMinutes(directory, "another", first + day), 0)
    })
    const [file = "", ...others] = readdirSync(directory)
    assert.deepStrictEqual([others.length, /^[0-9a-f]{32}\.ring$/.test(file)], [0, true])
    assert.strictEqual(statSync(join(directory, file)).size, day * 32)
    // What is no whole record is none.
    writeFileSync(join(directory, file), Buffer.alloc(45, 1))
    assert.deepStrictEqual(yield* Effect.promise(() => keptMinutes(directory, name, first)), [])
  })
)

it.effect("has what each minute brought, percentiles of its own calls, and goes on where an earlier daemon ended", () =>
  Effect.gen(function* () {
    const directory = yield* folder
    let now: MountNumbers = noNumbers
    const counted = (requests: number, latencies: { readonly [step: number]: number }): void => {
      now = {
        ...noNumbers,
        requests,
        workerRss: 1024,
        operations: { READ: { count: requests, errors: 0, microseconds: 0, latencies } }
      }
    }
    const daemon = (use: Effect.Effect<void>) =>
      Effect.scoped(
        Effect.gen(function* () {
          const read = yield* keepHistory(directory, () => new Map([[name, now]]))
          yield* use
          // The files are written by threads that the test's clock does not move.
          return yield* Effect.repeat(
            Effect.andThen(
              Effect.promise(() => new Promise(setImmediate)),
              read(name)
            ),
            {
              until: (minutes) => minutes.length > 0 && minutes.at(-1)?.operations === now.requests % 100
            }
          )
        })
      )
    counted(0, {})
    const first = yield* daemon(
      Effect.andThen(
        Effect.sync(() => counted(30, { 8: 30 })),
        TestClock.adjust("1 minute")
      )
    )
    assert.deepStrictEqual(
      first.map(({ operations, p50 }) => [operations, p50]),
      [[30, 4]]
    )
    counted(100, { 8: 30 })
    const both = yield* daemon(
      Effect.andThen(
        Effect.sync(() => counted(105, { 8: 30, 16: 5 })),
        TestClock.adjust("1 minute")
      )
    )
    assert.deepStrictEqual(
      both.map(({ operations, p50 }) => [operations, p50]),
      [
        [30, 4],
        [5, 16]
      ]
    )
    assert.strictEqual(
      historyCsv(both),
      "time,operations,errors,bytes_read,bytes_written,p50_us,p99_us,worker_bytes\n" +
        "1970-01-01T00:00:00.000Z,30,0,0,0,4,4,1024\n" +
        "1970-01-01T00:01:00.000Z,5,0,0,0,16,16,1024\n"
    )
  })
)
