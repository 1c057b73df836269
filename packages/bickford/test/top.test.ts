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
  requests: 0,
  errors: 0,
  bytesRead: 0,
  bytesWritten: 0,
  operations: {},
  ...parts
})
const report = (...mounts: ReadonlyArray<MountStatus>): StatusReport => ({
  version: "1",
  pid: 1,
  startedAt: 0,
  rss: 60 << 20,
  heapUsed: 0,
  mounts
})

it("top shows what happened between two reports, by mount and operation; a new worker counts from 0", () => {
  const before = mount({
    requests: 1000,
    bytesRead: 0,
    operations: { LOOKUP: { count: 900, errors: 0, p50: 5, p99: 20 } }
  })
  const now = mount({
    requests: 5000,
    bytesRead: 8 << 20,
    errors: 3,
    restarts: 2,
    operations: {
      LOOKUP: { count: 2900, errors: 3, p50: 5, p99: 20 },
      READ: { count: 8000, errors: 0, p50: 7.5, p99: 30 },
      MKDIR: { count: 0, errors: 0, p50: 0, p99: 0 }
    }
  })
  const lines = frame(report(now), report(before), 2).split("\n")
  assert.match(lines[0] ?? "", /60 MiB, 1 mounts/)
  assert.match(lines[3] ?? "", /^home +running +2000 +4\.0 +0\.0 +0 +3 +2$/)
  assert.match(lines.find((line) => line.startsWith("  READ ")) ?? "", /^ {2}READ +4000 +7\.5 +30 +0$/)
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
