/** Small pictures of what was. */
import { drawing } from "./dom.ts"

const width = 120
const height = 24

/** A line of the latest values, the largest at the top. */
export const spark = (values: ReadonlyArray<number>, title: string): SVGElement => {
  const most = Math.max(1, ...values)
  const step = width / Math.max(1, values.length - 1)
  const points = values.map(
    (value, at) => `${(at * step).toFixed(1)},${(height - 1 - (value / most) * (height - 2)).toFixed(1)}`
  )
  return drawing(
    "svg",
    { class: "spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img" },
    drawing("title", {}, title),
    drawing("polyline", { points: points.join(" ") })
  )
}

/** Bars side by side, each with a text that tells it. */
export const bars = (
  values: ReadonlyArray<readonly [label: string, value: number]>,
  title: string,
  looks = "bars"
): SVGElement => {
  const most = Math.max(1, ...values.map(([, value]) => value))
  const each = 100 / Math.max(1, values.length)
  return drawing(
    "svg",
    { class: looks, viewBox: "0 0 100 60", preserveAspectRatio: "none", role: "img" },
    drawing("title", {}, title),
    ...values.map(([label, value], at) => {
      const tall = (value / most) * 58
      return drawing(
        "rect",
        { x: String(at * each), y: String(60 - tall), width: String(each * 0.9), height: String(tall) },
        drawing("title", {}, label)
      )
    })
  )
}

/** Milliseconds between two points that are no neighbours: the line is broken there. */
const gap = 150_000

/** Lines of values by their times, broken where minutes are missing; the largest value is at the top. */
export const chart = (points: ReadonlyArray<readonly [at: number, value: number]>, title: string): SVGElement => {
  const first = points[0]?.[0] ?? 0
  const span = (points.at(-1)?.[0] ?? 0) + 60_000 - first
  const most = Math.max(...points.map(([, value]) => value), Number.MIN_VALUE)
  const runs: Array<Array<string>> = []
  let before = Number.NEGATIVE_INFINITY
  for (const [at, value] of points) {
    if (at - before > gap) runs.push([])
    before = at
    const height = (99 - (value / most) * 98).toFixed(1)
    // From a minute's beginning to its end: one alone is seen as well.
    for (const time of [at, at + 60_000]) runs.at(-1)?.push(`${(((time - first) / span) * 1000).toFixed(1)},${height}`)
  }
  return drawing(
    "svg",
    { class: "chart", viewBox: "0 0 1000 100", preserveAspectRatio: "none", role: "img" },
    drawing("title", {}, title),
    ...runs.map((run) => drawing("polyline", { points: run.join(" ") }))
  )
}
