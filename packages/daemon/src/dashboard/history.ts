/**
 * What each minute of the last 24 hours brought, by mount: in a file of fixed size for each, a ring of 1440 records, which
 * the next daemon goes on with. Nothing but the mount's name says which file is its own.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { createHash } from "node:crypto"
import { constants } from "node:fs"
import { mkdir, open, readFile } from "node:fs/promises"
import { join } from "node:path"
import { latenciesSince, percentile } from "../metrics/latencies.ts"
import { type MountNumbers, noNumbers } from "../metrics/numbers.ts"
import { allLatencies } from "./rates.ts"

const minuteMilliseconds = 60_000

/** Minutes that are kept. */
const kept = 24 * 60

/** What is kept of a minute, in the order of a record; sums of the minute, but for the last three. */
const fields = ["operations", "errors", "bytesRead", "bytesWritten", "p50", "p99", "workerRss"] as const

/** Of one minute; percentiles in microseconds, of its calls. */
export type Minute = { readonly [field in (typeof fields)[number]]: number } & {
  /** Minutes since the epoch. */
  readonly minute: number
}

/** A minute's number and the fields, 4 bytes each. */
const recordBytes = 4 * (1 + fields.length)

const recordOf = (minute: Minute): Buffer => {
  const record = Buffer.alloc(recordBytes)
  record.writeUInt32LE(minute.minute)
  for (const [nth, field] of fields.entries()) record.writeFloatLE(minute[field], 4 * (nth + 1))
  return record
}

const minuteAt = (ring: Buffer, at: number): Minute => {
  const [operations = 0, errors = 0, bytesRead = 0, bytesWritten = 0, p50 = 0, p99 = 0, workerRss = 0] = fields.map(
    (_, nth) => ring.readFloatLE(at + 4 * (nth + 1))
  )
  return { minute: ring.readUInt32LE(at), operations, errors, bytesRead, bytesWritten, p50, p99, workerRss }
}

const fileOf = (directory: string, name: string): string =>
  join(directory, `${createHash("sha256").update(name).digest("hex").slice(0, 32)}.ring`)

/** Puts a minute in its place, over that of 24 hours before. */
export const keepMinute = async (directory: string, name: string, minute: Minute): Promise<void> => {
  const file = await open(fileOf(directory, name), constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  try {
    await file.write(recordOf(minute), 0, recordBytes, (minute.minute % kept) * recordBytes)
  } finally {
    await file.close()
  }
}

/** The minutes of the 24 hours up to `now` (in minutes) that are known, the oldest first; none where there is no file. */
export const keptMinutes = async (directory: string, name: string, now: number): Promise<ReadonlyArray<Minute>> => {
  const ring = await readFile(fileOf(directory, name)).catch(() => Buffer.alloc(0))
  const records = Math.min(kept, Math.floor(ring.length / recordBytes))
  return Array.from({ length: records }, (_, nth) => minuteAt(ring, nth * recordBytes))
    .filter(({ minute }) => minute <= now && minute > now - kept)
    .sort((a, b) => a.minute - b.minute)
}

const minuteOf = (minute: number, now: MountNumbers, before: MountNumbers): Minute => {
  const since = (field: "requests" | "errors" | "bytesRead" | "bytesWritten"): number =>
    Math.max(0, now[field] - before[field])
  const latencies = latenciesSince(allLatencies(now), allLatencies(before))
  return {
    minute,
    operations: since("requests"),
    errors: since("errors"),
    bytesRead: since("bytesRead"),
    bytesWritten: since("bytesWritten"),
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    workerRss: now.workerRss
  }
}

const columns = "time,operations,errors,bytes_read,bytes_written,p50_us,p99_us,worker_bytes"

/** As CSV (RFC 4180, lines ending in LF): one line for each minute, its time the minute's beginning in ISO 8601. */
export const historyCsv = (minutes: ReadonlyArray<Minute>): string =>
  [
    columns,
    ...minutes.map((one) =>
      [new Date(one.minute * minuteMilliseconds).toISOString(), ...fields.map((field) => one[field])].join(",")
    )
  ].join("\n") + "\n"

/** Of a mount by its name. */
export type ReadHistory = (name: string) => Effect.Effect<ReadonlyArray<Minute>>

/** Keeps each minute of the mounts in a directory, while the scope lasts. What cannot be written is lost, and the log says so once. */
export const keepHistory = (
  directory: string,
  counts: () => ReadonlyMap<string, MountNumbers>
): Effect.Effect<ReadHistory, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const minuteNow = (): number => Math.floor(clock.currentTimeMillisUnsafe() / minuteMilliseconds)
    let before = counts()
    let hasFailed = false
    const failed = (error: unknown): Effect.Effect<void> => {
      if (hasFailed) return Effect.void
      hasFailed = true
      return Effect.logWarning(`the history of the mounts is not kept in ${directory}: ${String(error)}`)
    }
    const keep = (minute: number): Effect.Effect<void> => {
      const now = counts()
      const then = before
      before = now
      return Effect.forEach(
        now,
        ([name, numbers]) =>
          Effect.tryPromise({
            try: () => keepMinute(directory, name, minuteOf(minute, numbers, then.get(name) ?? noNumbers)),
            catch: (error) => error
          }),
        { discard: true }
      ).pipe(Effect.catch(failed))
    }
    yield* Effect.promise(() => mkdir(directory, { recursive: true, mode: 0o700 }).catch(() => undefined))
    let current = minuteNow()
    // Looked at each second: the machine may have slept, or its clock been set.
    const look = Effect.suspend(() => {
      const minute = current
      current = minuteNow()
      return minute === current ? Effect.void : keep(minute)
    })
    yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced("1 second")), { startImmediately: true })
    return (name) => Effect.promise(() => keptMinutes(directory, name, minuteNow()))
  })
