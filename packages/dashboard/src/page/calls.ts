/** A mount's calls as they are answered: chosen by the daemon, paused, saved. */
import { callText } from "./callText.ts"
import { download, element } from "./dom.ts"
import { calls, sampled } from "./events.ts"
import { visible } from "./visible.ts"

/** How many calls are shown, and how many are kept to be saved. */
const shown = 200
const kept = 10_000

/** Milliseconds after the last key until the daemon is asked for other calls. */
const typingPause = 300

/** What calls are chosen by: the daemon's name of it, and a person's. */
const conditions: ReadonlyArray<readonly [name: string, label: string, example: string]> = [
  ["op", "Operation", "LOOKUP,READ"],
  ["path", "Path with", "/src/"],
  ["pid", "Process", "1234"],
  ["error", "Error", "ENOENT, any"],
  ["slow", "Slower than", "10ms"]
]

export interface CallsView {
  readonly root: HTMLElement
  readonly stop: () => void
}

/** The fields of the conditions; `chosen` gives what they say as a query. */
const filterFields = () => {
  const inputs = conditions.map(([name, label, placeholder]) => {
    const input = element("input", { type: "search", name, placeholder, size: "12", autocomplete: "off" })
    return { input, label: element("label", {}, label, input) }
  })
  return {
    labels: inputs.map(({ label }) => label),
    chosen: (): URLSearchParams =>
      sampled(inputs.map(({ input }) => [input.name, input.value.trim()] as const).filter(([, value]) => value !== ""))
  }
}

export const callsView = (name: string): CallsView => {
  let following = new AbortController()
  const lines: Array<string> = []
  let paused = false
  let changed = false
  const { chosen, labels } = filterFields()
  const said = element("p", { role: "status" }, "Waiting for calls.")
  const list = element("ol", { class: "calls", reversed: "" })
  const pause = element("button", { type: "button", "aria-pressed": "false" }, "Pause")
  const save = element("button", { type: "button" }, "Save as JSON lines")
  const draw = (): void => {
    said.replaceChildren(lines.length === 0 ? "Waiting for calls." : `${lines.length} calls${paused ? ", paused" : ""}`)
    list.replaceChildren(
      ...lines
        .slice(-shown)
        .toReversed()
        .map((line) => element("li", {}, callText(line)))
    )
  }
  const follow = (): void => {
    following.abort()
    const mine = new AbortController()
    following = mine
    lines.length = 0
    draw()
    calls(name, chosen(), mine.signal, (line) => {
      if (paused) return
      lines.push(line)
      if (lines.length > kept) lines.splice(0, lines.length - kept)
      changed = true
    }).catch((error: unknown) => {
      if (!mine.signal.aborted) said.replaceChildren(visible(error instanceof Error ? error.message : String(error)))
    })
  }
  pause.addEventListener("click", () => {
    paused = !paused
    pause.setAttribute("aria-pressed", String(paused))
    draw()
  })
  save.addEventListener("click", () => download("calls.jsonl", `${lines.join("\n")}\n`, "application/x-ndjson"))
  let typing: number | undefined
  const form = element("form", {}, ...labels, pause, save)
  form.addEventListener("input", () => {
    clearTimeout(typing)
    typing = setTimeout(follow, typingPause)
  })
  form.addEventListener("submit", (event) => event.preventDefault())
  const timer = setInterval(() => {
    if (!changed || paused) return
    changed = false
    draw()
  }, 250)
  follow()
  return {
    root: element("section", {}, form, said, list),
    stop: () => {
      clearInterval(timer)
      clearTimeout(typing)
      following.abort()
    }
  }
}
