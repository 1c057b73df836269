/** The page "Mounts": what is mounted, what is slow, what restarted. */
import { type Actions, actions } from "./actions.ts"
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
  { title: "Source", kind: "wide" },
  { title: "Actions", kind: "wide" }
]

/** The cells that hold text alone, by their columns. */
const textsOf = ({ inFlight, p50, p99, rates, restarts, source }: Overview): ReadonlyMap<number, string> =>
  new Map([
    [3, count(rates.operations)],
    [4, mebibytes(rates.read)],
    [5, mebibytes(rates.written)],
    [6, microseconds(p50)],
    [7, microseconds(p99)],
    [8, count(inFlight)],
    [9, count(restarts)],
    [10, visible(source)]
  ])

/** A mount's row, which stays while its figures move: a link or button that has the focus keeps it. */
interface Row {
  readonly row: HTMLTableRowElement
  readonly cells: ReadonlyArray<HTMLTableCellElement>
  readonly state: HTMLElement
  readonly buttons: Actions
  /** Whether it is on the screen. Others are drawn once it is: of 1,000 rows a second costs what 20 do. */
  isSeen: boolean
  /** Draws what was last heard of the mount. */
  draw: () => void
}

const makeRow = (name: string, say: (text: string) => void): Row => {
  const state = element("span", {})
  const buttons = actions(name, say, ["restart", "unmount"])
  const cells = cellsOf(columns, [
    element("a", { href: `#/mounts/${encodeURIComponent(name)}` }, visible(name)),
    state,
    ...Array.from({ length: 9 }, () => ""),
    buttons.root
  ])
  return { row: element("tr", {}, ...cells), cells, state, buttons, isSeen: false, draw: () => {} }
}

const changeText = (place: HTMLElement | undefined, text: string): void => {
  if (place !== undefined && place.textContent !== text) place.replaceChildren(text)
}

const updateRow = (row: Row, mount: Overview, mayAct: boolean, rates: ReadonlyArray<number>): void => {
  const { name, state } = mount
  changeText(row.state, state)
  row.state.className = `state ${state}`
  for (const [column, text] of textsOf(mount)) changeText(row.cells[column], text)
  row.buttons.update(state, mayAct)
  const most = count(Math.max(0, ...rates))
  const title = `${visible(name)}: operations a second over the last five minutes, at most ${most}`
  row.cells[2]?.replaceChildren(spark(rates, title))
}

/** The rows by their mounts' names, in the order that they were last asked for. */
const makeRows = (body: HTMLElement, say: (text: string) => void) => {
  const rows = new Map<string, Row>()
  const byElement = new WeakMap<Element, Row>()
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      const row = byElement.get(target)
      if (row === undefined) continue
      row.isSeen = isIntersecting
      if (isIntersecting) row.draw()
    }
  })
  const rowFor = (name: string): Row => {
    const known = rows.get(name)
    if (known !== undefined) return known
    const made = makeRow(name, say)
    rows.set(name, made)
    byElement.set(made.row, made)
    seen.observe(made.row)
    return made
  }
  let order = ""
  return {
    inOrder: (names: ReadonlyArray<string>): ReadonlyArray<Row> => {
      const wanted = names.map(rowFor)
      const asked = JSON.stringify(names)
      if (asked === order) return wanted
      order = asked
      const left = new Set(names)
      for (const [name, { row }] of rows) {
        if (left.has(name)) continue
        seen.unobserve(row)
        rows.delete(name)
      }
      body.replaceChildren(...wanted.map(({ row }) => row))
      return wanted
    },
    stop: () => seen.disconnect()
  }
}

export interface MountsView {
  readonly root: HTMLElement
  readonly update: (report: Report, history: ReadonlyMap<string, ReadonlyArray<number>>) => void
  readonly stop: () => void
}

export const mountsView = (): MountsView => {
  const { body, table } = tableOf(columns, "Mounts")
  const causes = element("div", {})
  const said = element("p", { role: "status" })
  const rows = makeRows(body, (text) => said.replaceChildren(visible(text)))
  return {
    root: element("section", {}, element("h2", {}, "Mounts"), said, element("div", { class: "scroll" }, table), causes),
    update: ({ mayAct, mounts }, history) => {
      const shown = rows.inOrder(mounts.map(({ name }) => name))
      for (const [nth, mount] of mounts.entries()) {
        const row = shown[nth]
        if (row === undefined) continue
        row.draw = () => updateRow(row, mount, mayAct, history.get(mount.name) ?? [])
        if (row.isSeen) row.draw()
      }
      const now = Date.now()
      causes.replaceChildren(
        ...mounts
          .filter(({ lastCause }) => lastCause !== undefined)
          .map(({ lastCause = "", name, since }) =>
            element("p", { class: "quiet" }, `${visible(name)}, ${duration(now - since)} ago: ${visible(lastCause)}`)
          )
      )
    },
    stop: rows.stop
  }
}
