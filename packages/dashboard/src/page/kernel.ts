/** What the kernel holds of a mount, and what was agreed on with it. */
import { button, element } from "./dom.ts"
import { act, type Detail, type Overview } from "./events.ts"
import { count } from "./figures.ts"
import { agreed } from "./agreed.ts"

type Row = readonly [term: string, text: string]

const listOf = (rows: ReadonlyArray<Row>): HTMLElement =>
  element("dl", {}, ...rows.flatMap(([term, text]) => [element("dt", {}, term), element("dd", {}, text)]))

const each = (calls: number, of: number): string => (of === 0 ? "none" : (calls / of).toFixed(1))

/** The kernel tells nobody of its hits; what it asks for in spite of its caches can be set beside what was opened. */
const cacheRows = ({ operations }: Detail): ReadonlyArray<Row> => {
  const calls = (opcode: string): number => operations[opcode]?.count ?? 0
  const opened = calls("OPEN") + calls("CREATE")
  return [
    ["LOOKUP for each file opened", each(calls("LOOKUP"), opened)],
    ["GETATTR for each file opened", each(calls("GETATTR"), opened)],
    ["READ for each file opened", each(calls("READ"), opened)],
    ["Nodes forgotten", count(calls("FORGET") + calls("BATCH_FORGET"))]
  ]
}

const heldRows = ({ handles, nodes, passthroughFiles }: Detail): ReadonlyArray<Row> => [
  ["Nodes", count(nodes)],
  ["Open files and directories", count(handles)],
  ["Files read past the worker", `${count(passthroughFiles)} registered for passthrough`]
]

/** A view whose buttons stay while the figures move. */
export const kernelView = (name: string, say: (text: string) => void) => {
  const held = element("section", {})
  const terms = element("section", {})
  let drawn = ""
  const buttons = element(
    "p",
    { class: "buttons" },
    button(
      "Prune",
      () => act(name, "prune").then(() => "The kernel was told to drop the nodes that nobody uses."),
      say
    ),
    button("New epoch", () => act(name, "epoch").then(() => "The kernel looks every name up again."), say)
  )
  buttons.hidden = true
  const update = ({ state }: Overview, detail: Detail): void => {
    const { negotiated } = detail
    buttons.hidden = negotiated === undefined || state !== "running"
    held.replaceChildren(
      element("h3", {}, "The kernel holds"),
      listOf(heldRows(detail)),
      element("h3", {}, "Asked in spite of its caches"),
      element("p", { class: "quiet" }, "What the kernel answers from its caches it tells nobody of."),
      listOf(cacheRows(detail))
    )
    const looks = JSON.stringify(negotiated ?? null)
    if (looks === drawn) return
    drawn = looks
    terms.replaceChildren(
      element("h3", {}, "What was agreed on"),
      negotiated === undefined
        ? element(
            "p",
            {},
            "It is shown to who may act, once INIT is answered: open the address that bickford dashboard prints."
          )
        : listOf(agreed(negotiated))
    )
  }
  return { parts: [buttons, held, terms], update }
}
