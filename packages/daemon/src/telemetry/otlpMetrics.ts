/** Metrics in OTLP's data model: cumulative, since the daemon's start. */
import type { OtlpMetrics } from "effect/observability"
import * as OtlpResource from "effect/observability/OtlpResource"
import type { Labels, MetricFamily, Sample } from "../metrics/families.ts"
import { cumulativeBuckets } from "../metrics/latencies.ts"
import type { OperationNumbers } from "../metrics/numbers.ts"

type ScopeMetrics = OtlpMetrics.MetricsData["resourceMetrics"][number]["scopeMetrics"][number]
type Metric = ScopeMetrics["metrics"][number]

/** From when on is counted, and now: nanoseconds since the epoch, in digits. */
export interface Interval {
  readonly start: string
  readonly now: string
}

/** AGGREGATION_TEMPORALITY_CUMULATIVE of metrics.proto. */
const cumulative = 2

const unitOf = (name: string): string => {
  if (name.endsWith("_seconds")) return "s"
  return /_bytes(_total)?$/.test(name) ? "By" : "1"
}

const attributesOf = (labels: Labels) => OtlpResource.entriesToAttributes(Object.entries(labels))

const pointOf = ([labels, value]: Sample, { now, start }: Interval) => ({
  attributes: attributesOf(labels),
  startTimeUnixNano: start,
  timeUnixNano: now,
  asDouble: value
})

const histogramPointOf = (labels: Labels, { latencies, microseconds }: OperationNumbers, interval: Interval) => {
  const buckets = cumulativeBuckets(latencies)
  const counts = buckets.map(([, count], at) => count - (buckets[at - 1]?.[1] ?? 0))
  return {
    attributes: attributesOf(labels),
    startTimeUnixNano: interval.start,
    timeUnixNano: interval.now,
    count: buckets.at(-1)?.[1] ?? 0,
    sum: microseconds / 1e6,
    bucketCounts: counts,
    explicitBounds: buckets.map(([bound]) => bound).filter(Number.isFinite)
  }
}

/** One family as OTLP has it; names are those of `/metrics`. */
export const otlpMetric = (family: MetricFamily, interval: Interval): Metric => {
  const { help: description, name } = family
  const head = { name, description, unit: unitOf(name) }
  switch (family.type) {
    case "gauge":
      return { ...head, gauge: { dataPoints: family.samples.map((sample) => pointOf(sample, interval)) } }
    case "counter":
      return {
        ...head,
        sum: {
          dataPoints: family.samples.map((sample) => pointOf(sample, interval)),
          aggregationTemporality: cumulative,
          isMonotonic: true
        }
      }
    case "histogram":
      return {
        ...head,
        histogram: {
          dataPoints: family.series.map(([labels, numbers]) => histogramPointOf(labels, numbers, interval)),
          aggregationTemporality: cumulative
        }
      }
  }
}
