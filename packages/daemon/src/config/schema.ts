/** The configuration as it is written: TOML, its paths and lengths of time still text. */
import * as Schema from "effect/Schema"
import { parseDuration } from "./durations.ts"

const whole =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (value: unknown): value is number =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most

const isTime = (value: unknown): value is number | string => (parseDuration(value) ?? 0) > 0
const isText = (value: unknown): value is string => typeof value === "string" && value !== ""
const isOptions = (value: unknown): value is string | ReadonlyArray<string> =>
  typeof value === "string" || (Array.isArray(value) && value.every((one) => typeof one === "string"))

const time = Schema.declare(isTime, { expected: 'a length of time, as 30 (seconds) or "500ms"' })
const text = Schema.declare(isText, { expected: "text" })
const optional = Schema.optionalKey

const Restart = Schema.Struct({
  intensity: optional(Schema.declare(whole(0), { expected: "a whole number" })),
  period: optional(time),
  backoff: optional(Schema.Struct({ initial: optional(time), max: optional(time) }))
})

const Limits = Schema.Struct({
  memory: optional(Schema.declare(whole(16), { expected: "MiB, at least 16" })),
  threads: optional(Schema.declare(whole(1, 1024), { expected: "a number of threads, 1 to 1024" }))
})

const Mount = Schema.Struct({
  source: text,
  mountpoint: text,
  options: optional(Schema.declare(isOptions, { expected: 'mount options, as ["ro", "size=1g"] or "ro,size=1g"' })),
  restart: optional(Restart),
  when_lost: optional(Schema.Literals(["restart", "unmount"])),
  limits: optional(Limits),
  heartbeat: optional(time),
  start_timeout: optional(time),
  slow_call: optional(time),
  traceparent: optional(Schema.Boolean)
})

const isHttpUrl = (value: unknown): value is string =>
  typeof value === "string" && /^https?:$/.test(URL.parse(value)?.protocol ?? "")
const isHeaders = (value: unknown): value is { readonly [name: string]: string } =>
  typeof value === "object" &&
  value !== null &&
  Object.entries(value).every(
    ([name, one]) => /^[\w-]+$/.test(name) && typeof one === "string" && /^[\t -~]*$/.test(one)
  )

const Otlp = Schema.Struct({
  endpoint: Schema.declare(isHttpUrl, { expected: 'a URL, as "http://localhost:4318"' }),
  headers: optional(Schema.declare(isHeaders, { expected: 'header fields, as { authorization = "Bearer ..." }' })),
  interval: optional(time),
  service_name: optional(text)
})

/** A configuration file. */
export const ConfigFile = Schema.Struct({
  runtime_directory: optional(text),
  port: optional(Schema.declare(whole(1, 65_535), { expected: "a port, 1 to 65535" })),
  otlp: optional(Otlp),
  mounts: Schema.Record(Schema.String, Mount)
})

export type MountSection = typeof Mount.Type
export type OtlpSection = typeof Otlp.Type

/** The keys that a section may have, by the section's path; any name for `*`. */
export const knownKeys: { readonly [section: string]: ReadonlyArray<string> } = {
  "": Object.keys(ConfigFile.fields),
  otlp: Object.keys(Otlp.fields),
  "mounts.*": Object.keys(Mount.fields),
  "mounts.*.restart": Object.keys(Restart.fields),
  "mounts.*.restart.backoff": ["initial", "max"],
  "mounts.*.limits": Object.keys(Limits.fields)
}
