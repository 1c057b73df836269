/** A report in Prometheus' text format (0.0.4). */
import { printable } from "@bickford/protocol"
import type { StatusReport } from "../control/StatusReport.ts"
import { type Labels, type MetricFamily, metricFamilies, type Sample } from "./families.ts"
import { cumulativeBuckets } from "./latencies.ts"
import type { OperationNumbers } from "./numbers.ts"

/** A label's value. Of backslashes and line breaks the format has the escapes of `printable`; others are text in it. */
const escaped = (value: string): string =>
  printable(value).replace(/(\\\\|\\n)|\\|"/g, (found, same?: string) => same ?? `\\${found}`)

const line = (name: string, [labels, value]: Sample): string => {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`
}

const bound = (seconds: number): string => (Number.isFinite(seconds) ? String(seconds) : "+Inf")

/** The lines of one set of labels. */
const histogramLines = (
  name: string,
  labels: Labels,
  { latencies, microseconds }: OperationNumbers
): ReadonlyArray<string> => {
  const buckets = cumulativeBuckets(latencies)
  return [
    ...buckets.map(([seconds, count]) => line(`${name}_bucket`, [{ ...labels, le: bound(seconds) }, count])),
    line(`${name}_sum`, [labels, microseconds / 1e6]),
    line(`${name}_count`, [labels, buckets.at(-1)?.[1] ?? 0])
  ]
}

const familyLines = (family: MetricFamily): ReadonlyArray<string> => [
  `# HELP ${family.name} ${family.help}`,
  `# TYPE ${family.name} ${family.type}`,
  ...(family.type === "histogram"
    ? family.series.flatMap(([labels, numbers]) => histogramLines(family.name, labels, numbers))
    : family.samples.map((sample) => line(family.name, sample)))
]

/** The text that `/metrics` answers with. */
export const metricsText = (report: StatusReport): string =>
  `${metricFamilies(report).flatMap(familyLines).join("\n")}\n`
