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

/** What a row of the mounts' table is sorted by: the text of a key, and the values that decide. */
const orders = {
  configured: undefined,
  "ops/s": ({ requests }) => requests,
  read: ({ bytesRead }) => bytesRead,
  written: ({ bytesWritten }) => bytesWritten
} as const satisfies { readonly [name: string]: ((numbers: MountStatus) => number) | undefined }

const totals = {
  errors: ({ errors }) => errors,
  restarts: ({ restarts }) => restarts,
  memory: ({ workerRss }) => workerRss
} as const satisfies { readonly [name: string]: (numbers: MountStatus) => number }

/** What the mounts are sorted by; `configured` is the configuration's order. */
export type Order = keyof typeof orders | keyof typeof totals

/** In the order in which a key goes through them. */
export const orderNames: ReadonlyArray<Order> = [
  "configured",
  "ops/s",
  "read",
  "written",
  "errors",
  "restarts",
  "memory"
]

const isTotal = (order: Order): order is keyof typeof totals => Object.hasOwn(totals, order)

/** Two reports, and the seconds between them; without an earlier one all rates are 0. */
export interface Pair {
  readonly report: StatusReport
  readonly earlier: StatusReport | undefined
  readonly seconds: number
}

const earlierOf = ({ earlier }: Pair, name: string): MountStatus | undefined =>
  earlier?.mounts.find((mount) => mount.name === name)

/** The mounts in an order, the largest first. */
export const inOrder = (pair: Pair, order: Order): ReadonlyArray<MountStatus> => {
  const rated = isTotal(order) ? undefined : orders[order]
  const value = (mount: MountStatus): number => {
    if (isTotal(order)) return totals[order](mount)
    const then = earlierOf(pair, mount.name)
    return rated === undefined || then === undefined ? 0 : rated(mount) - rated(then)
  }
  return pair.report.mounts.toSorted((a, b) => value(b) - value(a))
}

/** A line, and what is to be seen at once in it. */
export interface Line {
  readonly text: string
  readonly kind?: "head" | MountStatus["state"]
}

const stateOf = (mount: MountStatus): Pick<Line, "kind"> => (mount.state === "running" ? {} : { kind: mount.state })

/** The picture's lines: the daemon, its mounts in an order, and the operations of those that `shows` is true of. */
export const frameLines = (
  pair: Pair,
  order: Order = "configured",
  shows: (name: string) => boolean = () => true
): ReadonlyArray<Line> => {
  const { report, seconds } = pair
  const mounts = inOrder(pair, order)
  const rows = mounts.map((mount) => {
    const then = earlierOf(pair, mount.name)
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
  const [head = "", ...lines] = lined([columns, ...rows])
  return [
    {
      text: `bickford ${report.version}, process ${report.pid}, ${Math.round(report.rss / 1024 ** 2)} MiB, ${report.mounts.length} mounts`
    },
    { text: "" },
    { text: head, kind: "head" },
    ...mounts.map((mount, at): Line => ({ text: lines[at] ?? "", ...stateOf(mount) })),
    ...mounts
      .filter(({ name }) => shows(name))
      .flatMap((mount) => {
        const [heading, ...operations] = operationsOf(mount, earlierOf(pair, mount.name), seconds)
        if (heading === undefined) return []
        const title: Line = { text: printable(mount.name), kind: "head" }
        return [{ text: "" }, title, ...[heading, ...operations].map((text): Line => ({ text }))]
      })
  ]
}

/** `seconds` between the reports; without an earlier one all rates are 0. */
export const frame = (report: StatusReport, earlier: StatusReport | undefined, seconds: number): string =>
  frameLines({ report, earlier, seconds })
    .map(({ text }) => text)
    .join("\n")
