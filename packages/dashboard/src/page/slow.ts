/** A mount's slow calls: what still waits, and the slowest of the last hour. */
import { placeText } from "./callText.ts"
import { cellsOf, type Column, element, tableOf } from "./dom.ts"
import type { Detail, SlowCall } from "./events.ts"
import { microseconds } from "./figures.ts"
import { visible } from "./visible.ts"

const columns: ReadonlyArray<Column> = [
  { title: "Time", kind: "number" },
  { title: "Operation" },
  { title: "Path", kind: "name" },
  { title: "Program" },
  { title: "Result", kind: "wide" },
  { title: "Began", kind: "wide" }
]

const rowOf = (call: SlowCall): HTMLTableRowElement =>
  element(
    "tr",
    {},
    ...cellsOf(columns, [
      microseconds(call.microseconds),
      visible(call.opcode),
      visible(placeText({ ...call })),
      visible(`${call.program ?? ""} ${call.pid}`.trim()),
      visible(call.state ?? call.error ?? "ok"),
      new Date(call.at).toLocaleTimeString()
    ])
  )

const tableOfCalls = (calls: ReadonlyArray<SlowCall>, caption: string, none: string): HTMLElement => {
  if (calls.length === 0) return element("p", { class: "quiet" }, none)
  const { body, table } = tableOf(columns, caption)
  body.append(...calls.map(rowOf))
  return element("div", { class: "scroll" }, table)
}

/** What is shown of a mount's slow calls now. */
export const slowParts = ({ slow, stuck }: Detail): ReadonlyArray<HTMLElement> => {
  if (slow === undefined || stuck === undefined)
    return [element("p", {}, "Calls are their users' own: open the address that bickford dashboard prints.")]
  return [
    element("h3", {}, "Not answered yet"),
    tableOfCalls(stuck, "Calls that wait", "No call waits for long."),
    element("h3", {}, "The slowest of the last hour"),
    tableOfCalls(slow, "Slow calls", "No call has taken as long as slow_call of the configuration.")
  ]
}
