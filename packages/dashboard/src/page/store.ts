/** The store of a mount: how large it is, and a check of it. */
import { button, element } from "./dom.ts"
import { checkStore, type Detail, type Overview } from "./events.ts"
import { mebibytes } from "./figures.ts"
import { visible } from "./visible.ts"

/** A view whose button and result stay while the figures move. */
export const storeView = (name: string, say: (text: string) => void) => {
  const figures = element("dl", {})
  const result = element("pre", { class: "calls", tabindex: "0", "aria-label": "What the check said" })
  result.hidden = true
  const check = button(
    "Check the store",
    async () => {
      const { clean, text } = await checkStore(name)
      result.replaceChildren(visible(text).replaceAll(String.raw`\n`, "\n"))
      result.hidden = false
      return clean ? "The store is clean." : "The check has found something."
    },
    say
  )
  const hint = element("p", { class: "quiet" })
  const update = ({ state }: Overview, { store }: Detail): void => {
    const isServed = state !== "stopped" && state !== "failed"
    check.hidden = isServed || store === undefined
    if (store === undefined) {
      hint.replaceChildren("This mount has no store in a file, or it was not looked at yet.")
      return figures.replaceChildren()
    }
    hint.replaceChildren(isServed ? "A store is checked while nobody serves it: unmount it first." : "")
    const rows: ReadonlyArray<readonly [string, string]> = [
      ["Store", visible(store.path)],
      ["Size", `${mebibytes(store.fileBytes)} MiB, and ${mebibytes(store.logBytes)} MiB of its log`],
      ["Free", `${mebibytes(store.freeBytes)} MiB on its disk`]
    ]
    figures.replaceChildren(...rows.flatMap(([term, text]) => [element("dt", {}, term), element("dd", {}, text)]))
  }
  return { parts: [figures, hint, check, result], update }
}
