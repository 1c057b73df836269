/** Reading bickford.toml: every problem at once, each with its key and what was expected. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { accessSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { parse } from "smol-toml"
import { type CommandError, commandError } from "../CommandError.ts"
import { defaultRuntimeDirectory } from "../control/runtimeDirectory.ts"
import { parseMountOptions } from "../options/mountOptions.ts"
import { nearest } from "@bickford/protocol"
import { isParsed, parseSource, sourceForms, withAbsolutePath } from "../sources/index.ts"
import type { DaemonConfig, MountConfig, OtlpConfig } from "./DaemonConfig.ts"
import { isPipe, readConfigText } from "./configText.ts"
import { parseDuration } from "./durations.ts"
import { ConfigFile, knownKeys, type MountSection, type OtlpSection } from "./schema.ts"
import { checkTrust } from "./trust.ts"

/** The configuration where a command names none: bickford.toml here, the user's own, or /etc/bickford.toml for root. */
const defaultConfigFiles = (): ReadonlyArray<string> => {
  const home =
    process.env["XDG_CONFIG_HOME"] ??
    (process.env["HOME"] === undefined ? undefined : join(process.env["HOME"], ".config"))
  return [
    "bickford.toml",
    ...(process.geteuid?.() === 0 ? ["/etc/bickford.toml"] : home === undefined ? [] : [join(home, "bickford.toml")])
  ]
}

const sectionOf = (path: ReadonlyArray<PropertyKey>): string =>
  path
    .slice(0, -1)
    .map((key, depth) => (depth === 1 && path[0] === "mounts" ? "*" : String(key)))
    .join(".")

const valueAt = (written: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    written
  )

/** Text as it is: whoever prints the message escapes all of it. */
const shown = (value: unknown): string => (typeof value === "string" ? `"${value}"` : JSON.stringify(value))

const messageAt = (written: unknown, path: ReadonlyArray<PropertyKey>, message: string): string => {
  const key = path.map(String).join(".")
  if (message === "Missing key") return `${key} is missing`
  if (!/^(Unexpected key|Expected no excess)/.test(message)) {
    return `${key}: ${message.charAt(0).toLowerCase()}${message.slice(1)}, got ${shown(valueAt(written, path))}`
  }
  const near = nearest(String(path.at(-1)), knownKeys[sectionOf(path)] ?? [])
  return `${key}: there is no such key${near === undefined ? "" : `; did you mean ${near}?`}`
}

const decode = Schema.decodeUnknownResult(ConfigFile)
const format = SchemaIssue.makeFormatterStandardSchemaV1()

const milliseconds = (value: number | string | undefined, otherwise: number): number =>
  parseDuration(value) ?? otherwise

const mountOf = (name: string, section: MountSection, folder: string, problems: Array<string>): MountConfig => {
  const key = `mounts.${name}`
  // Not the schema's to say: a file with another problem is told of this one too.
  const source = parseSource(section.source)
  if (!isParsed(source)) problems.push(`${key}.source: expected ${sourceForms}, got ${shown(section.source)}`)
  const options = typeof section.options === "string" ? [section.options] : (section.options ?? [])
  const parsed = parseMountOptions(options, isParsed(source) ? source.kind : undefined)
  if (Result.isFailure(parsed)) problems.push(`${key}.options: ${parsed.failure.message}`)
  else if (parsed.success.autoUnmount)
    problems.push(`${key}.options: auto_unmount is for mounts without the daemon, which unmounts what it gives up`)
  else if (parsed.success.debug)
    problems.push(
      `${key}.options: debug is for mounts without the daemon; \`bickford log ${name}\` shows every request and reply`
    )
  const { backoff, intensity, period } = section.restart ?? {}
  const initial = milliseconds(backoff?.initial, 100)
  const max = milliseconds(backoff?.max, Math.max(initial, 10_000))
  if (max < initial) problems.push(`${key}.restart.backoff: max is less than initial`)
  return {
    name,
    source: withAbsolutePath(section.source, (path) => resolve(folder, path)),
    mountpoint: resolve(folder, section.mountpoint),
    options,
    restart: { intensity: intensity ?? 5, period: milliseconds(period, 60_000), backoff: { initial, max } },
    whenLost: section.when_lost ?? "restart",
    limits: section.limits ?? {},
    heartbeat: milliseconds(section.heartbeat, 30_000),
    startTimeout: milliseconds(section.start_timeout, 30_000),
    slowCall: milliseconds(section.slow_call, 100),
    traceparent: section.traceparent ?? false
  }
}

const otlpOf = ({ endpoint, headers, interval, service_name }: OtlpSection): OtlpConfig => ({
  endpoint: endpoint.replace(/\/+$/, ""),
  headers: headers ?? {},
  interval: milliseconds(interval, 10_000),
  serviceName: service_name ?? "bickford"
})

const isExclusive = (source: string): boolean => {
  const parsed = parseSource(source)
  return isParsed(parsed) && parsed.kind.exclusive
}

/** Two mounts in one place, or of one store. */
const doubled = (mounts: ReadonlyArray<MountConfig>): ReadonlyArray<string> =>
  mounts.flatMap((mount, n) =>
    mounts
      .slice(0, n)
      .flatMap((other) => [
        ...(other.mountpoint === mount.mountpoint
          ? [`mounts.${mount.name}.mountpoint: is that of mounts.${other.name} as well`]
          : []),
        ...(other.source === mount.source && isExclusive(mount.source)
          ? [`mounts.${mount.name}.source: is the store of mounts.${other.name} as well`]
          : [])
      ])
  )

/** Decodes the text of a configuration in `folder`; or says everything that is wrong with it. */
export const decodeConfig = (content: string, folder: string): Result.Result<DaemonConfig, ReadonlyArray<string>> => {
  let written: unknown
  try {
    written = parse(content)
  } catch (error) {
    return Result.fail([error instanceof Error ? error.message.trim().replace(/\s*\n\s*/g, " ") : String(error)])
  }
  const decoded = decode(written, { errors: "all", onExcessProperty: "error" })
  if (Result.isFailure(decoded)) {
    const keys = (path: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }>) =>
      path.map((part) => (typeof part === "object" ? part.key : part))
    return Result.fail(
      format(decoded.failure.issue).issues.map(({ message, path = [] }) => messageAt(written, keys(path), message))
    )
  }
  const { mounts: sections, otlp, port, runtime_directory } = decoded.success
  const problems: Array<string> = []
  // What may lie in another mount comes after it.
  const mounts = Object.entries(sections)
    .map(([name, section]) => mountOf(name, section, folder, problems))
    .sort((a, b) => a.mountpoint.split("/").length - b.mountpoint.split("/").length)
  problems.push(...doubled(mounts))
  if (problems.length > 0) return Result.fail(problems)
  return Result.succeed({
    runtimeDirectory: runtime_directory === undefined ? defaultRuntimeDirectory() : resolve(folder, runtime_directory),
    mounts,
    ...(port === undefined ? {} : { port }),
    ...(otlp === undefined ? {} : { otlp: otlpOf(otlp) })
  })
}

/** The content of a file; undefined when it is not there. */
const contentOf = (file: string): Effect.Effect<string | undefined, CommandError> =>
  Effect.catch(readConfigText(file), (error) =>
    error.code === "ENOENT" ? Effect.succeed(undefined) : Effect.fail(commandError(`${file}: ${error.message}`))
  )

const decodeFile = (file: string, content: string): Effect.Effect<DaemonConfig, CommandError> => {
  const decoded = decodeConfig(content, dirname(resolve(file)))
  return Result.isSuccess(decoded)
    ? Effect.succeed(decoded.success)
    : Effect.fail(commandError(decoded.failure.map((problem) => `${file}: ${problem}`).join("; ")))
}

/** A configuration, and how the same file is read again, by the same rules. */
export interface FoundConfig {
  readonly config: DaemonConfig
  readonly again: Effect.Effect<DaemonConfig, CommandError>
}

/** One that cannot be looked at is there: it is an error, and no other file is taken instead. */
const isThere = (file: string): boolean => {
  try {
    accessSync(file)
    return true
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ENOENT")
  }
}

/** Reads the first of `candidates` that is there; `check` says whether it may be read. */
const readFirst = Effect.fnUntraced(function* (
  candidates: ReadonlyArray<string>,
  check: (file: string) => Effect.Effect<void, CommandError>
) {
  for (const file of candidates.filter(isThere)) {
    const once = isPipe(file)
    const read = check(file).pipe(
      Effect.andThen(contentOf(file)),
      Effect.flatMap((content) =>
        content === undefined ? Effect.fail(commandError(`there is no ${file}`)) : decodeFile(file, content)
      )
    )
    const again: FoundConfig["again"] = once
      ? Effect.fail(commandError(`${file}: is a pipe, and was read; a configuration that changes is a regular file`))
      : read
    return { config: yield* read, again } satisfies FoundConfig
  }
  return yield* Effect.fail(commandError(`there is no ${candidates.join(", nor ")}`))
})

/**
 * Reads a configuration file: `file`, or the first of the default ones that is there, which is refused where
 * others than this user and root could have written it.
 */
export const readConfig = (file: string | undefined): Effect.Effect<FoundConfig, CommandError> =>
  file === undefined ? readFirst(defaultConfigFiles(), checkTrust) : readFirst([file], () => Effect.void)
