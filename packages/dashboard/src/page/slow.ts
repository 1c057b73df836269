/** A mount's slow calls: what still waits, and the slowest of the last hour. */
import { placeText } from "./callText.ts"
import { button, cellsOf, type Column, element, tableOf } from "./dom.ts"
import { act, type Detail, type SlowCall } from "./events.ts"
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

const waitingColumns: ReadonlyArray<Column> = [...columns.slice(0, 4), { title: "State" }, { title: "Action" }]

const textsOf = (call: SlowCall): ReadonlyArray<string> => [
  microseconds(call.microseconds),
  visible(call.opcode),
  visible(placeText({ ...call })),
  visible(`${call.program ?? ""} ${call.pid}`.trim())
]

const answeredRow = (call: SlowCall): HTMLTableRowElement =>
  element(
    "tr",
    {},
    ...cellsOf(columns, [...textsOf(call), visible(call.error ?? "ok"), new Date(call.at).toLocaleTimeString()])
  )

/** Calls that wait, by their `unique`: a row stays while its call does, and so does its button. */
const waitingTable = (name: string, say: (text: string) => void) => {
  const { body, table } = tableOf(waitingColumns, "Calls that wait")
  const none = element("p", { class: "quiet" }, "No call waits for long.")
  const place = element("div", { class: "scroll" }, table)
  const rows = new Map<string, HTMLTableRowElement>()
  const made = (call: SlowCall): HTMLTableRowElement => {
    const interrupt = button(
      "Interrupt",
      () =>
        act(name, "interrupt", `?unique=${encodeURIComponent(call.unique)}`).then(() => "The call was interrupted."),
      say
    )
    const row = element("tr", {}, ...cellsOf(waitingColumns, [...textsOf(call), "", interrupt]))
    rows.set(call.unique, row)
    return row
  }
  return {
    parts: [none, place],
    update: (waiting: ReadonlyArray<SlowCall>): void => {
      none.hidden = waiting.length > 0
      place.hidden = waiting.length === 0
      const left = new Set(waiting.map(({ unique }) => unique))
      for (const [unique, row] of rows) {
        if (left.has(unique)) continue
        row.remove()
        rows.delete(unique)
      }
      for (const call of waiting) {
        const row = rows.get(call.unique) ?? made(call)
        for (const [nth, text] of [...textsOf(call), visible(call.state ?? "")].entries())
          row.cells[nth]?.replaceChildren(text)
        if (!row.isConnected) body.append(row)
      }
    }
  }
}

const answeredTable = (calls: ReadonlyArray<SlowCall>): HTMLElement => {
  if (calls.length === 0)
    return element("p", { class: "quiet" }, "No call has taken as long as slow_call of the configuration.")
  const { body, table } = tableOf(columns, "Slow calls")
  body.append(...calls.map(answeredRow))
  return element("div", { class: "scroll" }, table)
}

/** What is shown of a mount's slow calls. */
export const slowView = (name: string, say: (text: string) => void) => {
  const hint = element("p", {}, "Calls are their users' own: open the address that bickford dashboard prints.")
  const waiting = waitingTable(name, say)
  const answered = element("div", {})
  const both = element(
    "section",
    {},
    element("h3", {}, "Not answered yet"),
    ...waiting.parts,
    element("h3", {}, "The slowest of the last hour"),
    answered
  )
  both.hidden = true
  return {
    parts: [hint, both],
    update: ({ slow, stuck }: Detail): void => {
      const isTold = slow !== undefined && stuck !== undefined
      hint.hidden = isTold
      both.hidden = !isTold
      if (!isTold) return
      waiting.update(stuck)
      answered.replaceChildren(answeredTable(slow))
    }
  }
}
