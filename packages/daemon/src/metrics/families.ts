/** A report's numbers as metrics, whatever form they are sent in. */
import type { MountStatus, StatusReport } from "../control/StatusReport.ts"
import type { OperationNumbers } from "./numbers.ts"

export type Labels = { readonly [name: string]: string }

/** A value, and what it is of. */
export type Sample = readonly [labels: Labels, value: number]

/** One metric, with all that it is told of. Names and units are Prometheus' conventions. */
export type MetricFamily = { readonly name: string; readonly help: string } & (
  | { readonly type: "counter" | "gauge"; readonly samples: ReadonlyArray<Sample> }
  | { readonly type: "histogram"; readonly series: ReadonlyArray<readonly [labels: Labels, numbers: OperationNumbers]> }
)

const single = (value: number): ReadonlyArray<Sample> => [[{}, value]]

/** Counters of a mount go on when its worker is replaced; they begin anew with the daemon. */
export const metricFamilies = ({ heapUsed, mounts, rss, startedAt }: StatusReport): ReadonlyArray<MetricFamily> => {
  const each = (value: (mount: MountStatus) => number): ReadonlyArray<Sample> =>
    mounts.map((mount) => [{ mount: mount.name }, value(mount)])
  const operations = mounts.flatMap(({ name, operations: all }) =>
    Object.entries(all).map(([opcode, numbers]) => [{ mount: name, opcode }, numbers] as const)
  )
  const gauge = (name: string, help: string, samples: ReadonlyArray<Sample>): MetricFamily => ({
    name,
    help,
    type: "gauge",
    samples
  })
  const counter = (name: string, help: string, samples: ReadonlyArray<Sample>): MetricFamily => ({
    name,
    help,
    type: "counter",
    samples
  })
  return [
    gauge("bickford_start_time_seconds", "When the daemon started", single(startedAt / 1000)),
    gauge("bickford_resident_bytes", "Memory of the daemon, without its workers", single(rss)),
    gauge("bickford_heap_bytes", "JavaScript heap of the daemon, without its workers", single(heapUsed)),
    gauge(
      "bickford_mount_up",
      "1 while calls are answered",
      each(({ state }) => (state === "running" ? 1 : 0))
    ),
    gauge(
      "bickford_mount_state",
      "1 for the state that a mount is in",
      mounts.map(({ name, state }) => [{ mount: name, state }, 1])
    ),
    counter(
      "bickford_restarts_total",
      "Workers that were replaced because they had ended",
      each(({ restarts }) => restarts)
    ),
    gauge(
      "bickford_in_flight",
      "Calls whose operations have suspended",
      each(({ inFlight }) => inFlight)
    ),
    gauge(
      "bickford_worker_resident_bytes",
      "Memory of the mount's worker",
      each(({ workerRss }) => workerRss)
    ),
    counter(
      "bickford_read_bytes_total",
      "Bytes that reads were answered with",
      each(({ bytesRead }) => bytesRead)
    ),
    counter(
      "bickford_written_bytes_total",
      "Bytes that writes brought",
      each(({ bytesWritten }) => bytesWritten)
    ),
    counter(
      "bickford_requests_total",
      "Requests by opcode",
      operations.map(([labels, { count }]) => [labels, count])
    ),
    counter(
      "bickford_request_errors_total",
      "Requests answered with an errno other than ENOENT, ENODATA and ENOSYS, by opcode",
      operations.map(([labels, { errors }]) => [labels, errors])
    ),
    {
      name: "bickford_request_duration_seconds",
      help: "Time from a request's reading to its reply, by opcode",
      type: "histogram",
      series: operations
    }
  ]
}
