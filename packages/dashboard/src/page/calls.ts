/** A mount's calls as they come: filtered, paused, saved. */
import { callText } from "./callText.ts"
import { element } from "./dom.ts"
import { calls } from "./events.ts"
import { visible } from "./visible.ts"

/** How many lines are shown, and how many are kept to be saved. */
const shown = 200
const kept = 10_000

const download = (lines: ReadonlyArray<string>): void => {
  const url = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "application/x-ndjson" }))
  const link = element("a", { href: url, download: "calls.jsonl" })
  link.click()
  URL.revokeObjectURL(url)
}

export interface CallsView {
  readonly root: HTMLElement
  readonly stop: () => void
}

export const callsView = (name: string): CallsView => {
  const ending = new AbortController()
  const lines: Array<string> = []
  let paused = false
  let changed = false
  const filter = element("input", { type: "search", name: "filter", placeholder: "LOOKUP, a path, a pid, ENOENT" })
  const said = element("p", { role: "status" }, "Waiting for calls.")
  const list = element("ol", { class: "calls", reversed: "" })
  const pause = element("button", { type: "button", "aria-pressed": "false" }, "Pause")
  const save = element("button", { type: "button" }, "Save as JSON lines")
  const matching = (): ReadonlyArray<string> => {
    const words = filter.value
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((word) => word !== "")
    return lines.filter((line) => words.every((word) => line.toLowerCase().includes(word)))
  }
  const draw = (): void => {
    const found = matching()
    said.replaceChildren(`${found.length} of the last ${lines.length} lines${paused ? ", paused" : ""}`)
    list.replaceChildren(
      ...found
        .slice(-shown)
        .toReversed()
        .map((line) => element("li", {}, callText(line)))
    )
  }
  pause.addEventListener("click", () => {
    paused = !paused
    pause.setAttribute("aria-pressed", String(paused))
    draw()
  })
  save.addEventListener("click", () => download(matching()))
  filter.addEventListener("input", draw)
  const timer = setInterval(() => {
    if (!changed || paused) return
    changed = false
    draw()
  }, 250)
  calls(name, ending.signal, (line) => {
    if (paused) return
    lines.push(line)
    if (lines.length > kept) lines.splice(0, lines.length - kept)
    changed = true
  }).catch((error: unknown) => {
    if (!ending.signal.aborted) said.replaceChildren(visible(error instanceof Error ? error.message : String(error)))
  })
  const form = element("form", {}, element("label", {}, "Lines that hold all of", filter), pause, save)
  form.addEventListener("submit", (event) => event.preventDefault())
  return {
    root: element("section", {}, form, said, list),
    stop: () => {
      clearInterval(timer)
      ending.abort()
    }
  }
}
