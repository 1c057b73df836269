/** The report for Prometheus. */
import { assert, it } from "@effect/vitest"
import { metricsText } from "../src/metrics/metricsText.ts"

it("is lines of the text format, labels escaped", () => {
  const lines = metricsText({
    version: "0",
    pid: 1,
    startedAt: 2000,
    rss: 3,
    heapUsed: 2,
    mounts: [
      {
        name: 'a"b\\c\nd',
        source: "memory:",
        mountpoint: "/m",
        state: "running",
        since: 0,
        mountedAt: 0,
        restarts: 4,
        history: [],
        inFlight: 0,
        requests: 7,
        errors: 1,
        bytesRead: 10,
        bytesWritten: 0,
        operations: { LOOKUP: { count: 7, errors: 1, p50: 20, p99: 1500 } }
      }
    ]
  }).split("\n")
  const mount = String.raw`mount="a\"b\\c\nd"`
  assert.include(lines, "bickford_start_time_seconds 2")
  assert.include(lines, `bickford_restarts_total{${mount}} 4`)
  assert.include(lines, `bickford_requests_total{${mount},opcode="LOOKUP"} 7`)
  assert.include(lines, `bickford_request_seconds{${mount},opcode="LOOKUP",quantile="0.99"} 0.0015`)
  for (const line of lines)
    assert.match(line, /^(# (HELP|TYPE) bickford_\w+ .+|bickford_\w+(\{(\w+="(\\.|[^"\\])*",?)+\})? [\d.e+-]+|)$/)
})
