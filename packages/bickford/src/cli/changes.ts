/** How changes of a branch are printed. */
import type { Change, FileStat } from "@bickford/backends"
import type { Name } from "@bickford/protocol"
import { shownName } from "./branches.ts"

const letters = { added: "A", removed: "D", changed: "M", renamed: "R" } as const

/** `M path (content, times)`. */
export const changeLine = ({ from, kind, path, type, what }: Change): string => {
  const name = shownName(path) + (type === "directory" ? "/" : "")
  const moved = from === undefined ? name : `${shownName(from)} -> ${name}`
  return `${letters[kind]} ${moved}${what.length === 0 ? "" : ` (${what.join(", ")})`}`
}

/** A path as JSON has it: text, or the bytes of what is no UTF-8 in hexadecimal. */
export const jsonName = (name: Name) => (typeof name === "string" ? name : { hex: Buffer.from(name).toString("hex") })

/** A change as one line of JSON. */
export const changeJson = ({ from, path, ...change }: Change): string =>
  JSON.stringify({ ...change, path: jsonName(path), ...(from === undefined ? {} : { from: jsonName(from) }) })

const barMax = 40

/** As many signs as there are lines, or their part of the longest bar. */
const bar = ({ deletions, insertions }: FileStat, most: number): string => {
  const scale = Math.min(1, barMax / most)
  const length = (lines: number): number => (lines === 0 ? 0 : Math.max(1, Math.round(lines * scale)))
  return "+".repeat(length(insertions)) + "-".repeat(length(deletions))
}

const movedName = ({ from, path }: FileStat): string =>
  from === undefined ? shownName(path) : `${shownName(from)} => ${shownName(path)}`

const counted = (count: number, one: string, sign: string): string =>
  count === 0 ? "" : `, ${count} ${one}${count === 1 ? "" : "s"}(${sign})`

/** A line for each file with the lines that were changed, and their sum, as git has them. */
export const statLines = (stats: ReadonlyArray<FileStat>): ReadonlyArray<string> => {
  if (stats.length === 0) return []
  const width = Math.max(...stats.map((stat) => movedName(stat).length))
  const lines = ({ deletions, insertions }: FileStat): number => insertions + deletions
  const most = Math.max(1, ...stats.map(lines))
  const digits = String(most).length
  const rows = stats.map((stat) => {
    const told =
      stat.binary === undefined
        ? `${String(lines(stat)).padStart(digits)} ${bar(stat, most)}`
        : `Bin ${stat.binary[0]} -> ${stat.binary[1]} bytes`
    return ` ${movedName(stat).padEnd(width)} | ${told.trimEnd()}`
  })
  const sum = (of: (stat: FileStat) => number): number => stats.reduce((total, stat) => total + of(stat), 0)
  const total = ` ${stats.length} file${stats.length === 1 ? "" : "s"} changed`
  return [
    ...rows,
    total +
      counted(
        sum(({ insertions }) => insertions),
        "insertion",
        "+"
      ) +
      counted(
        sum(({ deletions }) => deletions),
        "deletion",
        "-"
      )
  ]
}
