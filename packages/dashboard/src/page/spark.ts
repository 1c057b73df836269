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
export const bars = (values: ReadonlyArray<readonly [label: string, value: number]>, title: string): SVGElement => {
  const most = Math.max(1, ...values.map(([, value]) => value))
  const each = 100 / Math.max(1, values.length)
  return drawing(
    "svg",
    { class: "bars", viewBox: "0 0 100 60", preserveAspectRatio: "none", role: "img" },
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
