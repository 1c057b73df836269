/** One picture of `bickford top`: what has happened between two reports. */
import { printable } from "@bickford/protocol"
import { latenciesSince, type MountStatus, percentile, type StatusReport } from "@bickford/daemon"
import { aligned } from "../columns.ts"

type OperationStatus = MountStatus["operations"][string]

const perSecond = (now: number, before: number | undefined, seconds: number): number =>
  before === undefined ? 0 : Math.max(0, now - before) / seconds

const short = (value: number): string => {
  if (value >= 10_000_000) return `${(value / 1_000_000).toFixed(0)}M`
  if (value >= 10_000) return `${(value / 1000).toFixed(0)}k`
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1)
}

const mebibytes = (value: number): string => (value / 1024 ** 2).toFixed(1)

const columns = [
  "MOUNT",
  "STATE",
  "OPS/S",
  "READ MiB/S",
  "WRITE MiB/S",
  "IN FLIGHT",
  "ERRORS",
  "RESTARTS",
  "MiB"
] as const
const operationColumns = ["OPERATION", "OPS/S", "P50 us", "P99 us", "ERRORS"] as const

/** A name, and then numbers. */
const lined = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> =>
  aligned(rows, (column) => column > 0)

/** Of the calls since `then`; of all there were, when nothing has happened since. */
const latest = (now: OperationStatus, then: OperationStatus | undefined): OperationStatus["latencies"] =>
  then === undefined || then.count === now.count ? now.latencies : latenciesSince(now.latencies, then.latencies)

const operationsOf = (mount: MountStatus, before: MountStatus | undefined, seconds: number): ReadonlyArray<string> => {
  const rows = Object.entries(mount.operations)
    .map(([name, operation]) => {
      const then = before?.operations[name]
      const latencies = latest(operation, then)
      return {
        name,
        rate: perSecond(operation.count, then?.count ?? 0, seconds),
        count: operation.count,
        errors: operation.errors,
        p50: percentile(latencies, 0.5),
        p99: percentile(latencies, 0.99)
      }
    })
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.rate - a.rate || b.count - a.count)
    .slice(0, 8)
    .map(({ errors, name, p50, p99, rate }) => [
      `  ${printable(name)}`,
      short(rate),
      short(p50),
      short(p99),
      short(errors)
    ])
  return rows.length === 0 ? [] : lined([operationColumns.map((name, n) => (n === 0 ? `  ${name}` : name)), ...rows])
}

/** `seconds` between the reports; without an earlier one all rates are 0. */
export const frame = (report: StatusReport, earlier: StatusReport | undefined, seconds: number): string => {
  const before = (name: string): MountStatus | undefined => earlier?.mounts.find((mount) => mount.name === name)
  const rows = report.mounts.map((mount) => {
    const then = before(mount.name)
    return [
      printable(mount.name),
      mount.state,
      short(perSecond(mount.requests, then?.requests, seconds)),
      mebibytes(perSecond(mount.bytesRead, then?.bytesRead, seconds)),
      mebibytes(perSecond(mount.bytesWritten, then?.bytesWritten, seconds)),
      short(mount.inFlight),
      short(mount.errors),
      short(mount.restarts),
      short(Math.round(mount.workerRss / 1024 ** 2))
    ]
  })
  return [
    `bickford ${report.version}, process ${report.pid}, ${Math.round(report.rss / 1024 ** 2)} MiB, ${report.mounts.length} mounts`,
    "",
    ...lined([columns, ...rows]),
    ...report.mounts.flatMap((mount) => {
      const lines = operationsOf(mount, before(mount.name), seconds)
      return lines.length === 0 ? [] : ["", printable(mount.name), ...lines]
    })
  ].join("\n")
}
