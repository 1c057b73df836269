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
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`
  const rule = `|${widths.map((width, column) => (column === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`
  const [head, ...body] = rows.map(line)
  return [head, rule, ...body].join("\n")
}

const valueOf = ({ unit }: Operation, measured: Measurement): number =>
  unit === "MiB/s" ? measured.mebibytesPerSecond : measured.operationsPerSecond

export const valuesOf = (throughput: Throughput, operation: Operation, contender: string): ReadonlyArray<number> =>
  throughput
    .get(operation.name)
    ?.get(contender)
    ?.map((measured) => valueOf(operation, measured)) ?? []

const short = (value: number): string => {
  if (value >= 100_000) return `${(value / 1000).toFixed(0)}k`
  return value >= 10_000 ? `${(value / 1000).toFixed(1)}k` : value.toFixed(0)
}

/** The median, and how far the rounds lie around it. */
const cell = ({ least, median, most }: Summary): string =>
  `${short(median)} ±${(((most - least) / 2 / median) * 100).toFixed(0)}%`

export const throughputTable = (
  throughput: Throughput,
  chosen: ReadonlyArray<Operation>,
  names: ReadonlyArray<string>
): string =>
  table([
    ["", ...chosen.map(({ name, unit }) => (unit === "MiB/s" ? `${name} MiB/s` : name))],
    ...names.map((name) => [
      name,
      ...chosen.map((operation) => {
        const values = valuesOf(throughput, operation, name)
        return values.length === 0 ? "" : cell(summarize(values))
      })
    ])
  ])

/** Microseconds of CPU time that client and server take for an operation, in each round. */
const cpuCosts = (throughput: Throughput, operation: Operation, contender: string): ReadonlyArray<number> =>
  throughput
    .get(operation.name)
    ?.get(contender)
    ?.map(({ cpuSeconds, operations, serverCpuSeconds }) => ((cpuSeconds + serverCpuSeconds) / operations) * 1e6) ?? []

/** What an operation costs altogether: others' load on the machine hardly shows in it. */
export const cpuTable = (
  throughput: Throughput,
  chosen: ReadonlyArray<Operation>,
  names: ReadonlyArray<string>
): string =>
  table([
    ["CPU of client and server, us an operation", ...chosen.map(({ name }) => name)],
    ...names.map((name) => [
      name,
      ...chosen.map((operation) => {
        const values = cpuCosts(throughput, operation, name)
        return values.length === 0 ? "" : summarize(values).median.toPrecision(3)
      })
    ])
  ])

/** By how much each of `ours` is faster than the `others` with which it is compared, the median of the rounds' own ratios. */
export const ratioTable = (
  throughput: Throughput,
  chosen: ReadonlyArray<Operation>,
  ours: ReadonlyArray<string>,
  others: (own: string) => ReadonlyArray<string>
): string =>
  table([
    ["", ...chosen.map(({ name }) => name)],
    ...ours.flatMap((own) =>
      others(own).map((other) => [
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
  /** The floor's own ratio; undefined when it was not measured. */
  readonly floor: { readonly contender: string; readonly ratio: number } | undefined
}

export const barResults = (throughput: Throughput, chosen: ReadonlyArray<Operation>): ReadonlyArray<BarResult> =>
  bars.flatMap(({ against, atLeast, contender, floor = "null", operations }) =>
    operations.flatMap((name) => {
      const operation = chosen.find((one) => one.name === name)
      if (operation === undefined) return []
      const shareOf = (one: string): number =>
        ratio(valuesOf(throughput, operation, one), valuesOf(throughput, operation, against))
      const reached = shareOf(contender)
      const most = shareOf(floor)
      if (Number.isNaN(reached)) return []
      return [
        {
          contender,
          against,
          operation: name,
          atLeast,
          ratio: reached,
          floor: Number.isNaN(most) ? undefined : { contender: floor, ratio: most }
        }
      ]
    })
  )

const missedLine = ({ against, atLeast, contender, floor, operation, ratio }: BarResult): string => {
  const most = floor === undefined ? "" : ` (${floor.contender}: ${floor.ratio.toFixed(2)})`
  return `  ${contender} / ${against}, ${operation}: ${ratio.toFixed(2)}, not ${atLeast}${most}`
}

/** What was not reached, one line each, or that all was. */
export const barLines = (results: ReadonlyArray<BarResult>): ReadonlyArray<string> => {
  const missed = results.filter((result) => result.ratio < result.atLeast)
  if (missed.length === 0) return [`All ${results.length} bars reached.`]
  return [`${results.length - missed.length} of ${results.length} bars reached. Not:`, ...missed.map(missedLine)]
}
