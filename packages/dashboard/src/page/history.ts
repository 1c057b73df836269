/** The last 24 hours of a mount: lines of what each minute brought, and the figures as a file. */
import { button, download, element } from "./dom.ts"
import { historyOf } from "./events.ts"
import { count, mebibytes, microseconds } from "./figures.ts"
import { minutesOf, type Series } from "./minutes.ts"
import { chart } from "./spark.ts"
import { visible } from "./visible.ts"

/** Milliseconds after which it is asked for again: a minute is the least that it changes by. */
const refreshed = 60_000

interface Line {
  readonly title: string
  readonly value: (minute: Series) => number
  readonly text: (most: number) => string
}

const lines: ReadonlyArray<Line> = [
  { title: "Operations a second", value: (minute) => minute.operations / 60, text: count },
  { title: "Errors a minute", value: ({ errors }) => errors, text: count },
  { title: "MiB read a second", value: (minute) => minute.bytesRead / 60, text: mebibytes },
  { title: "MiB written a second", value: (minute) => minute.bytesWritten / 60, text: mebibytes },
  { title: "p99 of the minute's calls", value: ({ p99 }) => p99, text: microseconds },
  { title: "Memory of the worker, MiB", value: ({ workerBytes }) => workerBytes, text: mebibytes }
]

const drawn = (minutes: ReadonlyArray<Series>): ReadonlyArray<HTMLElement> => {
  const from = new Date(minutes[0]?.at ?? 0).toLocaleString()
  const to = new Date(minutes.at(-1)?.at ?? 0).toLocaleString()
  return [
    element("p", { class: "quiet" }, `${minutes.length} minutes, from ${from} to ${to}`),
    ...lines.map(({ text, title, value }) => {
      const points = minutes.map((minute): readonly [number, number] => [minute.at, value(minute)])
      const most = text(Math.max(0, ...points.map(([, one]) => one)))
      return element(
        "figure",
        {},
        element("figcaption", {}, `${title}: at most ${most}`),
        chart(points, `${title}, at most ${most}`)
      )
    })
  ]
}

export interface HistoryView {
  readonly root: HTMLElement
  readonly stop: () => void
}

export const historyView = (name: string, say: (text: string) => void): HistoryView => {
  const following = new AbortController()
  const pictures = element("section", {}, element("p", { class: "quiet" }, "Asking."))
  const show = async (): Promise<void> => {
    const minutes = minutesOf(await historyOf(name, following.signal))
    if (minutes.length === 0)
      pictures.replaceChildren(element("p", { class: "quiet" }, "No whole minute has passed since the mount began."))
    else pictures.replaceChildren(...drawn(minutes))
  }
  const again = (): void =>
    void show().catch((error: unknown) => {
      if (following.signal.aborted) return
      pictures.replaceChildren(element("p", {}, visible(error instanceof Error ? error.message : String(error))))
    })
  const timer = setInterval(again, refreshed)
  again()
  const save = button(
    "Export as CSV",
    async () => {
      download("history.csv", await historyOf(name, following.signal), "text/csv")
      return "The last 24 hours are in history.csv."
    },
    say
  )
  return {
    root: element("section", {}, save, pictures),
    stop: () => {
      clearInterval(timer)
      following.abort()
    }
  }
}
