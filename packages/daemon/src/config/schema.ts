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
  start_timeout: optional(time)
})

/** A configuration file. */
export const ConfigFile = Schema.Struct({
  runtime_directory: optional(text),
  port: optional(Schema.declare(whole(1, 65_535), { expected: "a port, 1 to 65535" })),
  mounts: Schema.Record(Schema.String, Mount)
})

export type MountSection = typeof Mount.Type

/** The keys that a section may have, by the section's path; any name for `*`. */
export const knownKeys: { readonly [section: string]: ReadonlyArray<string> } = {
  "": Object.keys(ConfigFile.fields),
  "mounts.*": Object.keys(Mount.fields),
  "mounts.*.restart": Object.keys(Restart.fields),
  "mounts.*.restart.backoff": ["initial", "max"],
  "mounts.*.limits": Object.keys(Limits.fields)
}
