/** The page "Mounts": what is mounted, what is slow, what restarted. */
import { cellsOf, type Column, element, tableOf } from "./dom.ts"
import type { Overview, Report } from "./events.ts"
import { count, duration, mebibytes, microseconds } from "./figures.ts"
import { spark } from "./spark.ts"
import { visible } from "./visible.ts"

const columns: ReadonlyArray<Column> = [
  { title: "Mount", kind: "name" },
  { title: "State" },
  { title: "Operations, last 5 min", kind: "wide" },
  { title: "op/s", kind: "number" },
  { title: "MiB/s read", kind: "number wide" },
  { title: "MiB/s written", kind: "number wide" },
  { title: "p50", kind: "number wide" },
  { title: "p99", kind: "number" },
  { title: "In flight", kind: "number wide" },
  { title: "Restarts", kind: "number" },
  { title: "Source", kind: "wide" }
]

const rowOf = (mount: Overview, rates: ReadonlyArray<number>): ReadonlyArray<HTMLTableCellElement> => {
  const { inFlight, name, p50, p99, rates: now, restarts, source, state } = mount
  const most = count(Math.max(0, ...rates))
  return cellsOf(columns, [
    element("a", { href: `#/mounts/${encodeURIComponent(name)}` }, visible(name)),
    element("span", { class: `state ${state}` }, state),
    spark(rates, `${visible(name)}: operations a second over the last five minutes, at most ${most}`),
    count(now.operations),
    mebibytes(now.read),
    mebibytes(now.written),
    microseconds(p50),
    microseconds(p99),
    count(inFlight),
    count(restarts),
    visible(source)
  ])
}

export interface MountsView {
  readonly root: HTMLElement
  readonly update: (report: Report, history: ReadonlyMap<string, ReadonlyArray<number>>) => void
}

export const mountsView = (): MountsView => {
  const { body, table } = tableOf(columns, "Mounts")
  const causes = element("div", {})
  const root = element("section", {}, element("h2", {}, "Mounts"), element("div", { class: "scroll" }, table), causes)
  return {
    root,
    update: ({ mounts }, history) => {
      body.replaceChildren(...mounts.map((mount) => element("tr", {}, ...rowOf(mount, history.get(mount.name) ?? []))))
      const now = Date.now()
      causes.replaceChildren(
        ...mounts
          .filter(({ lastCause }) => lastCause !== undefined)
          .map(({ lastCause = "", name, since }) =>
            element("p", { class: "quiet" }, `${visible(name)}, ${duration(now - since)} ago: ${visible(lastCause)}`)
          )
      )
    }
  }
}
