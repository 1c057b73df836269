import { assert, it } from "@effect/vitest"
import type { MountStatus, StatusReport } from "@bickford/daemon"
import { frame } from "../src/cli/top/frame.ts"

const mount = (parts: Partial<MountStatus>): MountStatus => ({
  name: "home",
  source: "memory:",
  mountpoint: "/home",
  state: "running",
  pid: 7,
  since: 0,
  mountedAt: 0,
  restarts: 0,
  history: [],
  inFlight: 0,
  workerRss: 120 << 20,
  requests: 0,
  errors: 0,
  bytesRead: 0,
  bytesWritten: 0,
  operations: {},
  ...parts
})
/** `latencies` by step, four to each doubling of a microsecond. */
const operation = (
  count: number,
  errors: number,
  latencies: { readonly [step: number]: number }
): MountStatus["operations"][string] => ({ count, errors, microseconds: 0, latencies, p50: 0, p99: 0 })

const report = (...mounts: ReadonlyArray<MountStatus>): StatusReport => ({
  version: "1",
  pid: 1,
  startedAt: 0,
  rss: 60 << 20,
  heapUsed: 0,
  mounts
})

it("top shows what happened between two reports, by mount and operation", () => {
  const before = mount({
    requests: 1000,
    bytesRead: 0,
    operations: { LOOKUP: operation(900, 0, { 8: 900 }) }
  })
  const now = mount({
    requests: 5000,
    bytesRead: 8 << 20,
    errors: 3,
    restarts: 2,
    operations: {
      LOOKUP: operation(2900, 3, { 8: 900, 16: 1000, 24: 1000 }),
      READ: operation(8000, 0, { 12: 7900, 20: 100 }),
      MKDIR: operation(0, 0, {})
    }
  })
  const lines = frame(report(now), report(before), 2).split("\n")
  assert.match(lines[0] ?? "", /60 MiB, 1 mounts/)
  assert.match(lines[3] ?? "", /^home +running +2000 +4\.0 +0\.0 +0 +3 +2 +120$/)
  assert.match(lines.find((line) => line.startsWith("  READ ")) ?? "", /^ {2}READ +4000 +8 +32 +0$/)
  // Not the 900 of before, which were quicker.
  assert.match(lines.find((line) => line.startsWith("  LOOKUP ")) ?? "", /^ {2}LOOKUP +1000 +16 +64 +3$/)
  assert.isAbove(
    lines.findIndex((line) => line.startsWith("  LOOKUP")),
    lines.findIndex((line) => line.startsWith("  READ ")),
    "the busiest first"
  )
  assert.isUndefined(lines.find((line) => line.includes("MKDIR")))
  assert.match(
    frame(report(mount({ pid: 8, requests: 10 })), report(before), 1).split("\n")[3] ?? "",
    /^home +running +0 /
  )
})
