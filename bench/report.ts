/** The tables that are printed. */
import { bars } from "./bars.ts"
import type { Measurement } from "./loader.ts"
import type { Operation } from "./operations.ts"
import { ratio, summarize, type Summary } from "./statistics.ts"
import type { Throughput } from "./throughput.ts"

/** Columns aligned, the first to the left, in the manner of Markdown. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: ReadonlyArray<string>): string =>
    `| ${row.map((cell, column) => column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)).join(" | ")} |`
  const rule = `|${widths.map((width, column) => column === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`).join("|")}|`
  const [head, ...body] = rows.map(line)
  return [head, rule, ...body].join("\n")
}

const valueOf = ({ unit }: Operation, measured: Measurement): number =>
  unit === "MiB/s" ? measured.mebibytesPerSecond : measured.operationsPerSecond

export const valuesOf = (throughput: Throughput, operation: Operation, contender: string): ReadonlyArray<number> =>
  throughput.get(operation.name)?.get(contender)?.map((measured) => valueOf(operation, measured)) ?? []

const short = (value: number): string => {
  if (value >= 100_000) return `${(value / 1000).toFixed(0)}k`
  return value >= 10_000 ? `${(value / 1000).toFixed(1)}k` : value.toFixed(0)
}

/** The median, and how far the rounds lie around it. */
const cell = ({ least, median, most }: Summary): string => `${short(median)} ±${(((most - least) / 2 / median) * 100).toFixed(0)}%`

export const throughputTable = (throughput: Throughput, chosen: ReadonlyArray<Operation>, names: ReadonlyArray<string>): string =>
  table([
    ["", ...chosen.map(({ name, unit }) => unit === "MiB/s" ? `${name} MiB/s` : name)],
    ...names.map((name) => [
      name,
      ...chosen.map((operation) => {
        const values = valuesOf(throughput, operation, name)
        return values.length === 0 ? "" : cell(summarize(values))
      })
    ])
  ])

/** By how much each of `ours` is faster than each other, the median of the rounds' own ratios. */
export const ratioTable = (
  throughput: Throughput,
  chosen: ReadonlyArray<Operation>,
  ours: ReadonlyArray<string>,
  others: ReadonlyArray<string>
): string =>
  table([
    ["", ...chosen.map(({ name }) => name)],
    ...ours.flatMap((own) =>
      others.map((other) => [
        `${own} / ${other}`,
        ...chosen.map((operation) => {
          const value = ratio(valuesOf(throughput, operation, own), valuesOf(throughput, operation, other))
          return Number.isNaN(value) ? "" : value.toFixed(2)
        })
      ])
    )
  ])

export interface BarResult {
  readonly contender: string
  readonly against: string
  readonly operation: string
  readonly atLeast: number
  readonly ratio: number
}

export const barResults = (throughput: Throughput, chosen: ReadonlyArray<Operation>): ReadonlyArray<BarResult> =>
  bars.flatMap(({ against, atLeast, contender, operations }) =>
    operations.flatMap((name) => {
      const operation = chosen.find((one) => one.name === name)
      if (operation === undefined) return []
      const reached = ratio(valuesOf(throughput, operation, contender), valuesOf(throughput, operation, against))
      return Number.isNaN(reached) ? [] : [{ contender, against, operation: name, atLeast, ratio: reached }]
    })
  )

/** What was not reached, one line each, or that all was. */
export const barLines = (results: ReadonlyArray<BarResult>): ReadonlyArray<string> => {
  const missed = results.filter((result) => result.ratio < result.atLeast)
  if (missed.length === 0) return [`All ${results.length} bars reached.`]
  return [
    `${results.length - missed.length} of ${results.length} bars reached. Not:`,
    ...missed.map((m) => `  ${m.contender} / ${m.against}, ${m.operation}: ${m.ratio.toFixed(2)}, not ${m.atLeast}`)
  ]
}
