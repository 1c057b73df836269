/** A session's numbers as Effect `Metric`s, while somebody wants them. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { errnoName } from "@bickford/protocol"
import type { U64 } from "@bickford/protocol"
import type { Session } from "../Session.ts"
import { observe } from "./Observer.ts"

const requests = Metric.counter("fuse_requests_total", {
  description: "Requests answered, by opcode and outcome",
  incremental: true
})
const seconds = Metric.histogram("fuse_request_seconds", {
  description: "Time from reading a request to writing its reply, by opcode",
  boundaries: Metric.exponentialBoundaries({ start: 0.000_01, factor: 4, count: 12 })
})
const inFlight = Metric.gauge("fuse_requests_in_flight", { description: "Requests whose operations have suspended" })
const received = Metric.counter("fuse_received_bytes_total", {
  description: "Payload bytes of WRITE",
  incremental: true
})
const sent = Metric.counter("fuse_sent_bytes_total", { description: "Bytes of replies' bodies", incremental: true })
const restarts = Metric.counter("fuse_restarts_total", {
  description: "Restarts in the supervision tree, by part",
  incremental: true
})
const defects = Metric.gauge("fuse_defects", { description: "Operations that threw, died or returned nonsense" })

/** How often what is no event is looked at. */
const sampling = "1 second"

/** Feeds the metrics of `session` while the scope lasts; `attributes` are added to each, as the mount's name. */
export const metrics = (
  session: Session,
  attributes: { readonly [key: string]: string } = {}
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    const began = new Map<U64, number>()
    const { connection } = session
    yield* observe(connection, {
      received: (row, request) => {
        if (row.hasReply) began.set(request.unique, performance.now())
        if (request.op === "write") Metric.withAttributes(received, attributes).updateUnsafe(request.size, context)
      },
      replied: (row, request, errno, bytes) => {
        const at = began.get(request.unique)
        began.delete(request.unique)
        const opcode = { ...attributes, opcode: row.name }
        const outcome = errno === 0 ? "ok" : (errnoName(errno) ?? String(errno))
        Metric.withAttributes(requests, { ...opcode, outcome }).updateUnsafe(1, context)
        if (at !== undefined)
          Metric.withAttributes(seconds, opcode).updateUnsafe((performance.now() - at) / 1000, context)
        if (bytes > 0) Metric.withAttributes(sent, attributes).updateUnsafe(bytes, context)
      }
    })
    // Not with the replies: a call that hangs has none.
    const sample = Effect.sync(() => {
      Metric.withAttributes(inFlight, attributes).updateUnsafe(connection.inFlight.size, context)
      Metric.withAttributes(defects, attributes).updateUnsafe(connection.counters.defects, context)
    })
    yield* Effect.forkScoped(Effect.repeat(sample, Schedule.spaced(sampling)), { startImmediately: true })
    yield* Effect.addFinalizer(() => sample)
    const events = yield* session.supervisor.events
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.map(PubSub.take(events), (event) => {
          if (event._tag !== "Restarting") return
          Metric.withAttributes(restarts, { ...attributes, part: event.path.join("/") }).updateUnsafe(1, context)
        })
      )
    )
  })
