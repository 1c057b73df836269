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
        workerRss: 5,
        nodes: 0,
        handles: 0,
        passthroughFiles: 0,
        requests: 7,
        errors: 1,
        bytesRead: 10,
        bytesWritten: 0,
        operations: {
          LOOKUP: { count: 7, errors: 1, microseconds: 1540, latencies: { 18: 6, 43: 1 }, p50: 22.6, p99: 1722.2 }
        }
      }
    ]
  }).split("\n")
  const mount = String.raw`mount="a\"b\\c\nd"`
  assert.include(lines, "bickford_start_time_seconds 2")
  assert.include(lines, `bickford_restarts_total{${mount}} 4`)
  assert.include(lines, `bickford_requests_total{${mount},opcode="LOOKUP"} 7`)
  const lookup = `${mount},opcode="LOOKUP"`
  assert.include(lines, `bickford_worker_resident_bytes{${mount}} 5`)
  const duration = "bickford_request_duration_seconds"
  assert.include(lines, `# TYPE ${duration} histogram`)
  assert.deepStrictEqual(lines.filter((line) => line.startsWith(`${duration}_bucket`)).slice(0, 5), [
    `${duration}_bucket{${lookup},le="0.000016"} 0`,
    `${duration}_bucket{${lookup},le="0.000064"} 6`,
    `${duration}_bucket{${lookup},le="0.000256"} 6`,
    `${duration}_bucket{${lookup},le="0.001024"} 6`,
    `${duration}_bucket{${lookup},le="0.004096"} 7`
  ])
  assert.include(lines, `${duration}_bucket{${lookup},le="+Inf"} 7`)
  assert.include(lines, `${duration}_sum{${lookup}} 0.00154`)
  assert.include(lines, `${duration}_count{${lookup}} 7`)
  for (const line of lines)
    assert.match(line, /^(# (HELP|TYPE) bickford_\w+ .+|bickford_\w+(\{(\w+="(\\.|[^"\\])*",?)+\})? [\d.e+-]+|)$/)
})
