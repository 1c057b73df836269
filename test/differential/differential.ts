/** The same calls in two places: the first whose answers differ, and the fewest calls that show it. */
import type { Drivers } from "../conformance/driver.ts"
import { comparable } from "./answers.ts"
import { allPaths, type Call } from "./calls.ts"

export interface Difference {
  /** How many calls were made before this one. */
  readonly at: number
  readonly call: Call
  readonly left: string
  readonly right: string
}

const encode = (line: string): string => line.replaceAll("''", "%")

/** Looks at everything there is, as root. */
const inspection: ReadonlyArray<Call> = allPaths.flatMap((path) =>
  [`lstat ${path}`, `get ${path}`, `readlink ${path}`, `listxattr ${path}`, `readdir ${path}`].map(
    (line) => ({ who: "root2", line }) as const
  )
)

export interface Sides {
  readonly left: Drivers
  readonly right: Drivers
  /** Takes out of both answers what is known to differ. */
  readonly normal?: (answer: string) => string
}

let folders = 0

/** Makes the calls in a fresh folder of each side, then compares all that is there. */
export const findDifference = async (
  { left, normal = (answer) => answer, right }: Sides,
  calls: ReadonlyArray<Call>
): Promise<Difference | undefined> => {
  const folder = `differential-${folders++}`
  const both = [left, right]
  await Promise.all(both.map((side) => side.get("root").call(`make dir ${folder} 0777`)))
  const inPlace = new Set<Call["who"]>()
  try {
    const all = [...calls, ...inspection]
    for (const [at, call] of all.entries()) {
      if (!inPlace.has(call.who)) {
        await Promise.all(both.map((side) => side.get(call.who).call(`enter ${folder}`)))
        inPlace.add(call.who)
      }
      const line = encode(call.line)
      const [leftAnswer = "", rightAnswer = ""] = await Promise.all(
        both.map(async (side) => normal(comparable(line, await side.get(call.who).call(line))))
      )
      if (leftAnswer !== rightAnswer) return { at, call, left: leftAnswer, right: rightAnswer }
    }
    return undefined
  } finally {
    await Promise.all(
      both.flatMap((side) => side.started().map((driver) => driver.call("leave").catch(() => undefined)))
    )
  }
}

/** Leaves out calls, more and then fewer at a time, as long as some difference stays. */
export const shrink = async (
  sides: Sides,
  calls: ReadonlyArray<Call>,
  difference: Difference
): Promise<readonly [ReadonlyArray<Call>, Difference]> => {
  let kept = calls.slice(0, difference.at + 1)
  let shown = difference
  for (let step = Math.max(1, kept.length >> 1); step >= 1; step = step === 1 ? 0 : step >> 1) {
    for (let from = 0; from < kept.length;) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + step)]
      const found = await findDifference(sides, fewer)
      if (found === undefined) from += step
      else {
        kept = fewer.slice(0, found.at + 1)
        shown = found
      }
    }
  }
  return [kept, shown]
}

/** A counterexample as the table would have it, with both answers. */
export const describeDifference = (calls: ReadonlyArray<Call>, { call, left, right }: Difference): string => {
  const shown = calls.at(-1) === call ? calls : [...calls, call]
  return `${shown.map(({ line, who }) => `  ${who}: ${line}`).join("\n")}\n    one: ${left}\n    other: ${right}`
}
