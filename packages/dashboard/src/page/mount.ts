/** One mount: its operations, its worker, what became of the workers before. */
import { cellsOf, type Column, element, tableOf } from "./dom.ts"
import type { Detail, Overview } from "./events.ts"
import { count, duration, mebibytes, microseconds } from "./figures.ts"
import { bars, spark } from "./spark.ts"
import { visible } from "./visible.ts"

const columns: ReadonlyArray<Column> = [
  { title: "Operation" },
  { title: "Calls", kind: "number" },
  { title: "Errors", kind: "number" },
  { title: "How long", kind: "wide" },
  { title: "p50", kind: "number" },
  { title: "p99", kind: "number" },
  { title: "Total time", kind: "number" }
]

const facts = (overview: Overview, { bytesRead, bytesWritten, errors, mountedAt, requests }: Detail): HTMLElement => {
  const now = Date.now()
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["State", overview.state],
    ["Source", visible(overview.source)],
    ["Mounted at", `${visible(overview.mountpoint)}, for ${duration(now - mountedAt)}`],
    [
      "Worker",
      overview.pid === undefined
        ? "none"
        : `process ${overview.pid}, for ${duration(now - overview.since)}, ${mebibytes(overview.workerRss)} MiB`
    ],
    ["Calls", `${count(requests)}, ${count(errors)} of them errors; ${count(overview.inFlight)} in flight`],
    ["Data", `${mebibytes(bytesRead)} MiB read, ${mebibytes(bytesWritten)} MiB written`]
  ]
  return element("dl", {}, ...rows.flatMap(([term, text]) => [element("dt", {}, term), element("dd", {}, text)]))
}

type Latencies = Detail["operations"][string]["latencies"]

/** Four steps to each doubling of a microsecond, as the daemon counts; here one bar for each doubling. */
const doublings = (all: ReadonlyArray<Latencies>): ReadonlyArray<readonly [string, number]> => {
  const sums = new Map<number, number>()
  for (const latencies of all) {
    for (const [step, calls] of Object.entries(latencies)) {
      const doubling = Math.ceil(Number(step) / 4)
      sums.set(doubling, (sums.get(doubling) ?? 0) + calls)
    }
  }
  if (sums.size === 0) return []
  const first = Math.min(...sums.keys())
  const last = Math.max(...sums.keys())
  return Array.from({ length: last - first + 1 }, (_, nth) => {
    const calls = sums.get(first + nth) ?? 0
    return [`up to ${microseconds(2 ** (first + nth))}: ${count(calls)} calls`, calls] as const
  })
}

/** The operations, those that took the most time first, each with how long its calls take. */
export const operationsTable = (operations: Detail["operations"]): HTMLElement => {
  const { body, table } = tableOf(columns, "Operations")
  const busiest = Object.entries(operations).sort(([, a], [, b]) => b.microseconds - a.microseconds)
  for (const [opcode, { count: calls, errors, latencies, microseconds: total, p50, p99 }] of busiest) {
    const cells = [
      visible(opcode),
      count(calls),
      count(errors),
      bars(doublings([latencies]), `${visible(opcode)}: calls by the time that they took`, "bars small"),
      microseconds(p50),
      microseconds(p99),
      microseconds(total)
    ]
    body.append(element("tr", {}, ...cellsOf(columns, cells)))
  }
  return element("div", { class: "scroll" }, table)
}

const workers = (history: Detail["history"]): HTMLElement => {
  if (history.length === 0) return element("p", { class: "quiet" }, "No worker has ended out of turn.")
  return element(
    "ul",
    {},
    ...history
      .toReversed()
      .map(({ at, cause }) => element("li", {}, `${new Date(at).toLocaleString()}: ${visible(cause)}`))
  )
}

/** What is shown of a mount now. */
export const mountParts = (
  overview: Overview,
  detail: Detail,
  rates: ReadonlyArray<number>
): ReadonlyArray<HTMLElement | SVGElement> => [
  facts(overview, detail),
  spark(rates, `operations a second over the last five minutes, at most ${count(Math.max(0, ...rates))}`),
  element("h3", {}, "How long calls take"),
  bars(
    doublings(Object.values(detail.operations).map(({ latencies }) => latencies)),
    "calls by the time that they took"
  ),
  operationsTable(detail.operations),
  element("h3", {}, "Workers that ended"),
  workers(detail.history)
]
