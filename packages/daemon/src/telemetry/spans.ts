/** Slow calls as spans, each a child of the span that its caller's TRACEPARENT names, where it has one. */
import { errnoNumbers } from "@bickford/protocol"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Exit from "effect/Exit"
import * as HttpTraceContext from "effect/http/HttpTraceContext"
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import { isFailure } from "../metrics/numbers.ts"
import type { SlowCall } from "../worker/messages.ts"

/** What a call was answered with, for a span. */
class AnsweredWith extends Data.TaggedError("AnsweredWith")<{ readonly message: string }> {}

const errnoOf = (error: string): number =>
  new Map<string, number>(Object.entries(errnoNumbers)).get(error) ?? Number.POSITIVE_INFINITY

const parentOf = ({ traceparent }: SlowCall): Option.Option<Tracer.AnySpan> =>
  traceparent === undefined ? Option.none() : HttpTraceContext.w3c(Headers.fromInput({ traceparent }))

const nanoseconds = (milliseconds: number): bigint => BigInt(Math.round(milliseconds * 1000)) * 1000n

/** Attributes by OpenTelemetry's semantic conventions where these have one. */
const attributesOf = (mount: string, call: SlowCall): Readonly<Record<string, string | number | undefined>> => ({
  "bickford.mount": mount,
  "bickford.opcode": call.opcode,
  "bickford.unique": call.unique,
  "file.path": call.path,
  "bickford.new_path": call.newPath,
  "process.pid": call.pid,
  "process.executable.name": call.program,
  "user.id": call.uid === undefined ? undefined : String(call.uid),
  "error.type": call.error
})

/** Begins and ends the span of a call that is over. */
export const recordSpan = (tracer: Tracer.Tracer, mount: string, call: SlowCall): void => {
  const began = Date.parse(call.at)
  const parent = parentOf(call)
  const span = tracer.span({
    name: `fuse.${call.opcode.toLowerCase()}`,
    parent,
    annotations: Context.empty(),
    links: [],
    startTime: nanoseconds(began),
    kind: "server",
    root: Option.isNone(parent),
    sampled: Option.match(parent, { onNone: () => true, onSome: ({ sampled }) => sampled })
  })
  for (const [key, value] of Object.entries(attributesOf(mount, call)))
    if (value !== undefined) span.attribute(key, value)
  const { error } = call
  const isFailed = error !== undefined && isFailure(errnoOf(error))
  span.end(
    nanoseconds(began + call.microseconds / 1000),
    isFailed ? Exit.fail(new AnsweredWith({ message: error })) : Exit.void
  )
}
