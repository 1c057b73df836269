/** The dashboard and the alert rules of `examples/monitoring`: each metric and label that they name is in /metrics. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import type { StatusReport } from "../src/control/StatusReport.ts"
import { metricsText } from "../src/metrics/metricsText.ts"

const operation = { count: 1, errors: 1, microseconds: 1, latencies: { 4: 1 }, p50: 2, p99: 2 }

const report: StatusReport = {
  version: "1",
  pid: 1,
  startedAt: 0,
  rss: 1,
  heapUsed: 1,
  mounts: [
    {
      name: "data",
      source: "memory:",
      mountpoint: "/mnt",
      state: "running",
      since: 0,
      mountedAt: 0,
      restarts: 1,
      history: [],
      inFlight: 1,
      workerRss: 1,
      nodes: 0,
      handles: 0,
      passthroughFiles: 0,
      requests: 1,
      errors: 1,
      bytesRead: 1,
      bytesWritten: 1,
      operations: { READ: operation }
    }
  ]
}

const samples = metricsText(report)
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
const names = new Set(samples.map((line) => /^[a-z_]+/.exec(line)?.[0] ?? ""))
const labels = new Set(samples.flatMap((line) => Array.from(line.matchAll(/[{,]([a-z_]+)="/g), ([, label]) => label)))

const textOf = (file: string): string =>
  readFileSync(new URL(`../../../examples/monitoring/${file}`, import.meta.url), "utf8")

interface Panel {
  readonly title: string
  readonly targets: ReadonlyArray<{ readonly expr: string }>
}

const dashboard: { readonly panels: ReadonlyArray<Panel> } = JSON.parse(textOf("grafana-dashboard.json"))
const dashboardExpressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
const alerts = textOf("alerts.yml")

const namedIn = (text: string): ReadonlyArray<string> => text.match(/bickford_[a-z_]+/g) ?? []

/** Labels that an expression groups by or chooses by; `instance` and `job` are Prometheus' own. */
const labelsIn = (text: string): ReadonlyArray<string> => [
  ...Array.from(text.matchAll(/by \(([^)]+)\)/g), ([, list = ""]) => list.split(/,\s*/)).flat(),
  ...Array.from(text.matchAll(/[{,]\s*([a-z_]+)=~?"/g), ([, label = ""]) => label)
]

describe("of examples/monitoring", () => {
  it("each metric is one of /metrics", () => {
    const named = [...dashboardExpressions, alerts].flatMap(namedIn)
    assert.isAtLeast(named.length, 15)
    assert.deepStrictEqual(
      named.filter((name) => !names.has(name)),
      []
    )
  })

  it("each label is one of /metrics", () => {
    const named = [...dashboardExpressions, alerts].flatMap(labelsIn)
    assert.isAtLeast(named.length, 15)
    assert.deepStrictEqual(
      named.filter((label) => !labels.has(label) && label !== "instance"),
      []
    )
  })

  it("the dashboard has every metric of the daemon that is of a mount", () => {
    const shown = new Set(dashboardExpressions.flatMap(namedIn))
    const families = [...names].filter((name) => !/_(count|sum|bucket)$/.test(name))
    // A state has its number in bickford_mount_up; the rest is of the process.
    const others = new Set(["bickford_mount_state", "bickford_start_time_seconds", "bickford_heap_bytes"])
    assert.deepStrictEqual(
      families.filter((name) => !shown.has(name) && !others.has(name)),
      []
    )
  })
})
