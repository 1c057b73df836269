/** A report in Prometheus' text format (0.0.4). */
import { printable } from "@bickford/protocol"
import type { MountStatus, StatusReport } from "../control/StatusReport.ts"
import { cumulativeBuckets } from "./latencies.ts"
import type { OperationNumbers } from "./numbers.ts"

type Labels = { readonly [name: string]: string }
type Sample = readonly [labels: Labels, value: number]

/** A label's value. Of backslashes and line breaks the format has the escapes of `printable`; others are text in it. */
const escaped = (value: string): string =>
  printable(value).replace(/(\\\\|\\n)|\\|"/g, (found, same?: string) => same ?? `\\${found}`)

const line = (name: string, [labels, value]: Sample): string => {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`
}

const head = (name: string, type: "counter" | "gauge" | "histogram", help: string): ReadonlyArray<string> => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`
]

const metric = (name: string, type: "counter" | "gauge", help: string, samples: ReadonlyArray<Sample>): string =>
  [...head(name, type, help), ...samples.map((sample) => line(name, sample))].join("\n")

const bound = (seconds: number): string => (Number.isFinite(seconds) ? String(seconds) : "+Inf")

/** The lines of one set of labels. */
const histogramLines = (
  name: string,
  labels: Labels,
  { latencies, microseconds }: OperationNumbers
): ReadonlyArray<string> => {
  const buckets = cumulativeBuckets(latencies)
  return [
    ...buckets.map(([seconds, count]) => line(`${name}_bucket`, [{ ...labels, le: bound(seconds) }, count])),
    line(`${name}_sum`, [labels, microseconds / 1e6]),
    line(`${name}_count`, [labels, buckets.at(-1)?.[1] ?? 0])
  ]
}

/** Counters of a mount go on when its worker is replaced; they begin anew with the daemon. */
export const metricsText = ({ heapUsed, mounts, rss, startedAt }: StatusReport): string => {
  const each = (value: (mount: MountStatus) => number): ReadonlyArray<Sample> =>
    mounts.map((mount) => [{ mount: mount.name }, value(mount)])
  const byOpcode = (value: (operation: MountStatus["operations"][string]) => number): ReadonlyArray<Sample> =>
    mounts.flatMap(({ name, operations }) =>
      Object.entries(operations).map(([opcode, operation]): Sample => [{ mount: name, opcode }, value(operation)])
    )
  const durations = mounts.flatMap(({ name, operations }) =>
    Object.entries(operations).flatMap(([opcode, operation]) =>
      histogramLines("bickford_request_duration_seconds", { mount: name, opcode }, operation)
    )
  )
  return [
    metric("bickford_start_time_seconds", "gauge", "When the daemon started", [[{}, startedAt / 1000]]),
    metric("bickford_resident_bytes", "gauge", "Memory of the daemon, without its workers", [[{}, rss]]),
    metric("bickford_heap_bytes", "gauge", "JavaScript heap of the daemon, without its workers", [[{}, heapUsed]]),
    metric(
      "bickford_mount_up",
      "gauge",
      "1 while calls are answered",
      each(({ state }) => (state === "running" ? 1 : 0))
    ),
    metric(
      "bickford_mount_state",
      "gauge",
      "1 for the state that a mount is in",
      mounts.map(({ name, state }) => [{ mount: name, state }, 1])
    ),
    metric(
      "bickford_restarts_total",
      "counter",
      "Workers that were replaced because they had ended",
      each(({ restarts }) => restarts)
    ),
    metric(
      "bickford_in_flight",
      "gauge",
      "Calls whose operations have suspended",
      each(({ inFlight }) => inFlight)
    ),
    metric(
      "bickford_worker_resident_bytes",
      "gauge",
      "Memory of the mount's worker",
      each(({ workerRss }) => workerRss)
    ),
    metric(
      "bickford_read_bytes_total",
      "counter",
      "Bytes that reads were answered with",
      each(({ bytesRead }) => bytesRead)
    ),
    metric(
      "bickford_written_bytes_total",
      "counter",
      "Bytes that writes brought",
      each(({ bytesWritten }) => bytesWritten)
    ),
    metric(
      "bickford_requests_total",
      "counter",
      "Requests by opcode",
      byOpcode(({ count }) => count)
    ),
    metric(
      "bickford_request_errors_total",
      "counter",
      "Requests answered with an errno other than ENOENT, ENODATA and ENOSYS, by opcode",
      byOpcode(({ errors }) => errors)
    ),
    ...head("bickford_request_duration_seconds", "histogram", "Time from a request's reading to its reply, by opcode"),
    ...durations,
    ""
  ].join("\n")
}
