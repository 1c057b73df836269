/** What `bickford top` shows of its reports, and how its keys change that. */
import type { Style } from "../styled.ts"
import { frameLines, inOrder, type Line, type Order, orderNames, type Pair } from "./frame.ts"

/** The state that keys change. */
export interface View {
  readonly order: Order
  readonly isPaused: boolean
  readonly isHelp: boolean
  /** The name of the mount that the arrows are at. */
  readonly chosen: string | undefined
  /** Only mounts are shown whose name or source has this in it. */
  readonly filter: string
  /** Whether keys are characters of the filter. */
  readonly isTyping: boolean
}

export const firstView: View = {
  order: "configured",
  isPaused: false,
  isHelp: false,
  chosen: undefined,
  filter: "",
  isTyping: false
}

const help: ReadonlyArray<string> = [
  "  q, Ctrl-C     end",
  "  s             sort by the next column",
  "  p, space      pause, and go on",
  "  up, down      choose a mount (k, j): only its operations are shown",
  "  /             show only mounts with a text in their name or source; enter ends it",
  "  escape        choose none, and show all",
  "  ?, h          this help"
]

const escape = "\x1b"

/** An arrow's sequence, or any other character. */
const keyForm = new RegExp(String.raw`${escape}\[[A-D]|[^]`, "g")

/** What a terminal sent, key by key. */
export const keysOf = (text: string): ReadonlyArray<string> => text.match(keyForm) ?? []

/** Without the mounts that the filter leaves out. */
const filtered = (pair: Pair, filter: string): Pair => {
  if (filter === "") return pair
  const mounts = pair.report.mounts.filter(({ name, source }) => name.includes(filter) || source.includes(filter))
  return { ...pair, report: { ...pair.report, mounts } }
}

const moved = (view: View, pair: Pair | undefined, by: number): View => {
  const names = pair === undefined ? [] : inOrder(filtered(pair, view.filter), view.order).map(({ name }) => name)
  const at = view.chosen === undefined ? -1 : names.indexOf(view.chosen)
  const next = at < 0 ? (by > 0 ? 0 : names.length - 1) : Math.max(0, Math.min(names.length - 1, at + by))
  return { ...view, chosen: names[next] }
}

const isPrintable = (key: string): boolean => key.length === 1 && key >= " " && key !== "\x7f"

/** A key while the filter is typed. */
const typed = (view: View, key: string): View | "end" => {
  switch (key) {
    case "\x03":
      return "end"
    case "\r":
    case "\n":
      return { ...view, isTyping: false }
    case escape:
      return { ...view, isTyping: false, filter: "" }
    case "\x7f":
    case "\b":
      return { ...view, filter: view.filter.slice(0, -1) }
    default:
      return isPrintable(key) ? { ...view, filter: view.filter + key, chosen: undefined } : view
  }
}

/** The view after a key; `end` when it is the one that ends. */
export const pressed = (view: View, key: string, pair: Pair | undefined): View | "end" => {
  if (view.isTyping) return typed(view, key)
  switch (key) {
    case "/":
      return { ...view, isTyping: true, filter: "" }
    case "q":
    case "\x03":
      return "end"
    case "s":
      return { ...view, order: orderNames[(orderNames.indexOf(view.order) + 1) % orderNames.length] ?? "configured" }
    case "p":
    case " ":
      return { ...view, isPaused: !view.isPaused }
    case "?":
    case "h":
      return { ...view, isHelp: !view.isHelp }
    case "j":
    case `${escape}[B`:
      return moved(view, pair, 1)
    case "k":
    case `${escape}[A`:
      return moved(view, pair, -1)
    case escape:
      return { ...view, chosen: undefined, filter: "" }
    default:
      return view
  }
}

const styles: { readonly [kind in NonNullable<Line["kind"]>]: Style | undefined } = {
  head: "bold",
  running: undefined,
  starting: "yellow",
  draining: "yellow",
  backoff: "yellow",
  failed: "red",
  stopped: "dim"
}

const statusLine = ({ filter, isPaused, isTyping, order }: View): string => {
  if (isTyping) return `only with: ${filter}_`
  const only = filter === "" ? "" : `, only with ${filter}`
  return `sorted by ${order}${only}${isPaused ? ", paused" : ""}; ? for help`
}

/** Lines of the top that stay when the rest is moved up: the daemon, nothing, the columns' names. */
const fixed = 3

/** `rows` of the lines, with the one at `wanted` among them. */
const windowOf = (lines: ReadonlyArray<string>, rows: number, wanted: number): ReadonlyArray<string> => {
  const skipped = Math.max(0, Math.min(wanted - rows + 2, lines.length - rows))
  return skipped === 0
    ? lines.slice(0, rows)
    : [...lines.slice(0, fixed), ...lines.slice(fixed + skipped)].slice(0, rows)
}

/** The screen's lines; `style` makes a text look so. */
export const screen = (
  whole: Pair,
  view: View,
  size: { readonly columns: number; readonly rows: number },
  style: (style: Style, text: string) => string
): ReadonlyArray<string> => {
  const pair = filtered(whole, view.filter)
  const isChosen = (name: string): boolean => view.chosen === undefined || view.chosen === name
  const at = fixed + inOrder(pair, view.order).findIndex(({ name }) => name === view.chosen)
  const lines = view.isHelp ? help.map((text): Line => ({ text })) : frameLines(pair, view.order, isChosen)
  const drawn = lines.map(({ kind, text }, index) => {
    const cut = text.slice(0, size.columns)
    if (!view.isHelp && view.chosen !== undefined && index === at) return style("inverse", cut.padEnd(size.columns))
    const looks = kind === undefined ? undefined : styles[kind]
    return looks === undefined ? cut : style(looks, cut)
  })
  const rows = Math.max(1, size.rows - 1)
  return [
    ...windowOf(drawn, rows, view.chosen === undefined ? 0 : at),
    style("dim", statusLine(view).slice(0, size.columns))
  ]
}
