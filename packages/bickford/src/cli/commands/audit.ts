/** `bickford audit`: who changed what on a branch. */
import type { AuditRecord } from "@bickford/backends"
import { commandError } from "@bickford/daemon"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import {
  asCommandError,
  asJson,
  branchName,
  directory,
  openNamedToRead,
  shownName,
  storeDirectory
} from "../branches.ts"
import { jsonName } from "../changes.ts"

const isName = (value: unknown): value is Uint8Array => value instanceof Uint8Array

const detailJson = (detail: AuditRecord["detail"]) =>
  Object.fromEntries(Object.entries(detail).map(([key, value]) => [key, isName(value) ? jsonName(value) : value]))

const recordJson = ({ detail, path, ...record }: AuditRecord): string =>
  JSON.stringify({ ...record, path: path === undefined ? null : jsonName(path), ...detailJson(detail) })

/** The line of a record: `2026-11-28T06:00:00.000Z 1234 0 /usr/bin/node write src/a offset=0 length=12`. */
export const recordLine = ({ detail, op, path, pid, program, time, uid }: AuditRecord): string => {
  const told = Object.entries(detailJson(detail)).map(([key, value]) => {
    const text = typeof value === "string" ? shownName(value) : JSON.stringify(value)
    return `${key}=${key === "mode" ? Number(value).toString(8) : text}`
  })
  const who = `${pid} ${uid ?? "?"} ${program === "" ? "?" : shownName(program)}`
  return [new Date(time).toISOString(), who, op, path === undefined ? "?" : shownName(path), ...told].join(" ")
}

const timeFlag = (name: "since" | "until", description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

const timeOf = (given: Option.Option<string>) =>
  Option.match(given, {
    onNone: () => Effect.succeed({}),
    onSome: (text) => {
      const time = Date.parse(text)
      return Number.isNaN(time)
        ? Effect.fail(commandError(`${text}: is not a time; write it as 2026-11-28T06:00 (with Z for UTC)`))
        : Effect.succeed({ time })
    }
  })

export const auditCommand = Command.make(
  "audit",
  {
    directory,
    branch: branchName,
    store: storeDirectory,
    json: asJson,
    pid: Flag.Int("pid").pipe(Flag.withDescription("Only what this process changed"), Flag.optional),
    program: Flag.String("program").pipe(
      Flag.withDescription("Only what this program changed: its path, or its last name"),
      Flag.optional
    ),
    path: Flag.String("path").pipe(
      Flag.withDescription("Only what was changed at this path, relative to DIR, and below it"),
      Flag.optional
    ),
    since: timeFlag("since", "From this time on"),
    until: timeFlag("until", "Before this time")
  },
  (input) =>
    Effect.scoped(
      Effect.gen(function* () {
        const since: { readonly time?: number } = yield* timeOf(input.since)
        const until: { readonly time?: number } = yield* timeOf(input.until)
        const branch = yield* openNamedToRead(input.directory, input.store, input.branch)
        const records = yield* asCommandError(
          branch.audit({
            ...(Option.isSome(input.pid) ? { pid: input.pid.value } : {}),
            ...(Option.isSome(input.program) ? { program: input.program.value } : {}),
            ...(Option.isSome(input.path) ? { path: input.path.value } : {}),
            ...(since.time === undefined ? {} : { since: since.time }),
            ...(until.time === undefined ? {} : { until: until.time })
          })
        )
        for (const record of records) yield* Console.log(input.json ? recordJson(record) : recordLine(record))
      })
    )
).pipe(Command.withDescription("Say who changed what on a branch: process, user, program, operation, path"))
