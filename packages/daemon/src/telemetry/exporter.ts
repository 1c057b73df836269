/** Sends metrics, and a span for each slow call, to an OpenTelemetry collector by OTLP over HTTP. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpResource from "effect/observability/OtlpResource"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import type * as Scope from "effect/Scope"
import { hostname } from "node:os"
import type { OtlpConfig } from "../config/DaemonConfig.ts"
import type { StatusReport } from "../control/StatusReport.ts"
import { metricFamilies } from "../metrics/families.ts"
import type { SlowCall } from "../worker/messages.ts"
import { otlpMetric } from "./otlpMetrics.ts"
import { recordSpan } from "./spans.ts"

/** Where slow calls go. */
export interface Telemetry {
  readonly slowCall: (mount: string, call: SlowCall) => void
}

/** How long the last export may take when the daemon ends. */
const shutdownTimeout = "2 seconds"

const layers = Layer.mergeAll(OtlpExporter.layerFlusher, OtlpSerialization.layerJson, FetchHttpClient.layer)

const sendMetrics = Effect.fnUntraced(function* (
  { endpoint, headers, interval }: OtlpConfig,
  resource: OtlpResource.Resource,
  report: () => StatusReport
) {
  const clock = yield* Clock.Clock
  const serialization = yield* OtlpSerialization.OtlpSerialization
  yield* OtlpExporter.make({
    label: "OtlpMetrics",
    url: `${endpoint}/v1/metrics`,
    headers,
    exportInterval: interval,
    maxBatchSize: "disabled",
    exportEmpty: true,
    shutdownTimeout,
    body: () => {
      const now = report()
      const times = { start: `${now.startedAt}000000`, now: String(clock.currentTimeNanosUnsafe()) }
      const metrics = metricFamilies(now).map((family) => otlpMetric(family, times))
      const scopeMetrics = [{ scope: { name: "bickford" }, metrics }]
      return [serialization.metrics({ resourceMetrics: [{ resource, scopeMetrics }] }), Effect.void]
    }
  })
})

/** Exports until the scope closes, the last time then. A collector that is away costs what it was not sent. */
export const exportTelemetry = (
  config: OtlpConfig,
  report: () => StatusReport
): Effect.Effect<Telemetry, never, Scope.Scope> => {
  const started = Effect.gen(function* () {
    const identity = {
      serviceName: config.serviceName,
      serviceVersion: report().version,
      attributes: { "host.name": hostname(), "process.pid": process.pid }
    }
    yield* sendMetrics(config, OtlpResource.make(identity), report)
    const tracer = yield* OtlpTracer.make({
      url: `${config.endpoint}/v1/traces`,
      headers: config.headers,
      exportInterval: config.interval,
      resource: identity,
      shutdownTimeout
    })
    return { slowCall: (mount: string, call: SlowCall) => recordSpan(tracer, mount, call) }
  })
  return Effect.flatMap(Layer.build(layers), (context) => Effect.provideContext(started, context))
}
