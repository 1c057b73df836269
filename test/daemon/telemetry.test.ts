/** What the daemon sends to an OpenTelemetry collector. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { writeFile } from "node:fs/promises"
import { createServer, type IncomingHttpHeaders } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { attempt } from "../mount/processes.ts"
import { mountConfig, mountpoints, startDaemon, until, workFolder } from "./daemon.ts"

interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string }
}

interface Span {
  readonly name: string
  readonly traceId: string
  readonly parentSpanId?: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: ReadonlyArray<Attribute>
}

interface Metric {
  readonly name: string
  readonly sum?: { readonly dataPoints: ReadonlyArray<{ readonly asDouble: number }> }
  readonly histogram?: {
    readonly dataPoints: ReadonlyArray<{ readonly count: number; readonly bucketCounts: ReadonlyArray<number> }>
  }
}

/** A collector that keeps what it is sent. */
const collector = Effect.acquireRelease(
  Effect.callback<{ readonly endpoint: string; readonly received: Array<Received>; readonly close: () => void }>(
    (resume) => {
      const received: Array<Received> = []
      const server = createServer((request, response) => {
        let body = ""
        request
          .setEncoding("utf8")
          .on("data", (part: string) => (body += part))
          .once("end", () => {
            received.push({ path: request.url ?? "", headers: request.headers, body })
            response.writeHead(200, { "content-type": "application/json" }).end("{}")
          })
      }).listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(
          Effect.succeed({
            endpoint: `http://127.0.0.1:${port}`,
            received,
            close: () => {
              server.close()
              server.closeAllConnections()
            }
          })
        )
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

const lateModule = `
import { memory, withFaults } from "bickford"
export const backend = withFaults(memory(), [{ operations: ["lookup"], path: "/late", fault: { delay: 300 } }])
`

const attributesOf = ({ attributes }: { readonly attributes: ReadonlyArray<Attribute> }) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]))

it.live("metrics, and a slow call's span whose parent is its caller's TRACEPARENT", () =>
  Effect.gen(function* () {
    const { endpoint, received } = yield* collector
    const folder = yield* workFolder
    const [mountpoint = ""] = yield* mountpoints(1)
    const module = join(folder, "late.mjs")
    yield* Effect.promise(() => writeFile(module, lateModule))
    const otlp = { endpoint: `${endpoint}/`, headers: { authorization: "Bearer secret" }, interval: "200ms" }
    const late = mountConfig("late", `module:${module}`, mountpoint, { slowCall: 150, traceparent: true })
    const daemon = yield* startDaemon(folder, [late], undefined, otlp)
    yield* Effect.promise(() => daemon.reaches("late", "running"))

    const [traceId, parentId] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"]
    const env = { PATH: process.env["PATH"], TRACEPARENT: `00-${traceId}-${parentId}-01` }
    yield* Effect.promise(() => attempt("stat", [join(mountpoint, "late")], { env }))
    yield* Effect.promise(() => attempt("stat", [join(mountpoint, "quick")], { env }))
    const spans = (): ReadonlyArray<Span> =>
      received
        .filter(({ path }) => path === "/v1/traces")
        .flatMap(({ body }) => JSON.parse(body).resourceSpans[0].scopeSpans[0].spans)
    yield* Effect.promise(() => until(async () => (spans().length > 0 ? true : undefined), "a span"))
    const [span] = spans()
    assert.deepInclude(span, { name: "fuse.lookup", traceId, parentSpanId: parentId })
    const took = BigInt(span?.endTimeUnixNano ?? 0) - BigInt(span?.startTimeUnixNano ?? 0)
    assert.isTrue(took >= 250_000_000n, String(took))
    assert.deepInclude(attributesOf(span ?? { attributes: [] }), {
      "bickford.mount": "late",
      "file.path": "/late",
      "process.executable.name": "stat",
      "error.type": "ENOENT"
    })
    assert.isTrue(
      spans().every((one) => attributesOf(one)["file.path"] !== "/quick"),
      "what is quick has no span"
    )

    const last = (): ReadonlyArray<Metric> => {
      const sent = received.findLast(({ path }) => path === "/v1/metrics")
      return sent === undefined ? [] : JSON.parse(sent.body).resourceMetrics[0].scopeMetrics[0].metrics
    }
    const metric = (name: string): Metric | undefined => last().find((one) => one.name === name)
    yield* Effect.promise(() =>
      until(
        async () => (metric("bickford_request_duration_seconds")?.histogram?.dataPoints.length ? true : undefined),
        "a histogram"
      )
    )
    assert.isAbove(metric("bickford_requests_total")?.sum?.dataPoints[0]?.asDouble ?? 0, 0)
    for (const { bucketCounts, count } of metric("bickford_request_duration_seconds")?.histogram?.dataPoints ?? [])
      assert.strictEqual(
        bucketCounts.reduce((sum, one) => sum + one, 0),
        count
      )
    const sent = received.find(({ path }) => path === "/v1/metrics")
    assert.strictEqual(sent?.headers.authorization, "Bearer secret")
    const { attributes } = JSON.parse(sent?.body ?? "").resourceMetrics[0].resource
    assert.deepInclude(attributesOf({ attributes }), { "service.name": "bickford" })

    const before = received.length
    assert.deepStrictEqual(yield* Effect.promise(daemon.stop), { status: 0, signal: null })
    assert.isAbove(received.length, before, "what there was is sent at the end")
  })
)
