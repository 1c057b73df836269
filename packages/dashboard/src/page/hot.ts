/** What a mount's calls are about: the paths, directories and programs with the most calls, bytes and time. */
import { cellsOf, type Column, element, tableOf } from "./dom.ts"
import { calls, type Detail, sampled } from "./events.ts"
import { count, mebibytes, microseconds } from "./figures.ts"
import { operationsTable } from "./mount.ts"
import { type Kind, kinds, type Sum, Tally } from "./tally.ts"
import { visible } from "./visible.ts"

/** Rows of each table. */
const shown = 12

const titles: { readonly [kind in Kind]: string } = { path: "Paths", directory: "Directories", program: "Programs" }

const orders: ReadonlyArray<readonly [by: keyof Sum, label: string]> = [
  ["calls", "Calls"],
  ["bytes", "Bytes"],
  ["microseconds", "Time"]
]

const columnsOf = (kind: Kind): ReadonlyArray<Column> => [
  { title: titles[kind], kind: "name" },
  { title: "Calls", kind: "number" },
  { title: "MiB", kind: "number" },
  { title: "Time", kind: "number" }
]

const share = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(0)} %`

const rowOf = (kind: Kind, name: string, sum: Readonly<Sum>, looked: number): HTMLTableRowElement =>
  element(
    "tr",
    {},
    ...cellsOf(columnsOf(kind), [
      visible(name),
      `${count(sum.calls)} (${share(sum.calls, looked)})`,
      mebibytes(sum.bytes),
      microseconds(sum.microseconds)
    ])
  )

const lookedAt = ({ looked, missed }: Tally): string => {
  if (looked === 0) return "Waiting for calls."
  if (missed === 0) return `All ${count(looked)} calls since this page was opened.`
  return `A sample: ${count(looked)} of ${count(looked + missed)} calls since this page was opened.`
}

/** A choice of what the tables are sorted by. */
const orderChoice = (changed: () => void): HTMLSelectElement => {
  const choice = element("select", { name: "by" })
  for (const [by, label] of orders) choice.append(element("option", { value: by }, label))
  choice.addEventListener("change", changed)
  return choice
}

export interface HotView {
  readonly root: HTMLElement
  readonly update: (detail: Detail) => void
  readonly stop: () => void
}

export const hotView = (name: string): HotView => {
  const following = new AbortController()
  const tally = new Tally()
  const said = element("p", { role: "status" }, "Waiting for calls.")
  const bodies = kinds.map((kind) => ({ kind, ...tableOf(columnsOf(kind), titles[kind]) }))
  const operations = element("div", {})
  const draw = (): void => {
    const by = orders.find(([one]) => one === choice.value)?.[0] ?? "calls"
    said.replaceChildren(lookedAt(tally))
    for (const { body, kind } of bodies)
      body.replaceChildren(...tally.top(kind, by, shown).map(([one, sum]) => rowOf(kind, one, sum, tally.looked)))
  }
  const choice = orderChoice(draw)
  calls(name, sampled(), following.signal, (line) => tally.take(line)).catch((error: unknown) => {
    if (!following.signal.aborted) said.replaceChildren(visible(error instanceof Error ? error.message : String(error)))
  })
  const timer = setInterval(() => {
    if (tally.looked > 0) draw()
  }, 1000)
  return {
    root: element(
      "section",
      {},
      element("form", {}, element("label", {}, "Most", choice)),
      said,
      ...bodies.map(({ table }) => element("div", { class: "scroll" }, table)),
      element("h3", {}, "Operations"),
      operations
    ),
    update: (detail) => operations.replaceChildren(operationsTable(detail.operations)),
    stop: () => {
      clearInterval(timer)
      following.abort()
    }
  }
}
