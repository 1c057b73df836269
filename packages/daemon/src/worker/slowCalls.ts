/** The calls of a mount that take long: those that were answered, and those that are not yet. */
import type { Request, U64 } from "@bickford/protocol"
import type { OpcodeRow } from "@bickford/protocol/codec"
import { CallPaths, errorText, type Session, shownPaths } from "@bickford/session"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { MountConfig } from "../config/DaemonConfig.ts"
import { callerOf } from "./callers.ts"
import type { SlowListener } from "./counters.ts"
import type { Caller, SlowCall, StuckCall } from "./messages.ts"

/** Slow calls of each second that are told of. */
const perSecondMost = 20

/** Stuck calls that are told of. */
const stuckMost = 20

/** Characters of a path that are told of. */
const pathMost = 4096

/** What to do with what was found. */
export interface SlowCallListener {
  readonly slow: (call: SlowCall) => void
  readonly stuck: (calls: ReadonlyArray<StuckCall>) => void
}

type Connection = Session.Session["connection"]

export interface SlowCalls {
  readonly listener: SlowListener
  /** Looks at the calls that wait, again and again while the scope lasts. `ageOf` as counters have it. */
  readonly watch: (
    connection: Connection,
    ageOf: (unique: U64) => number | undefined
  ) => Effect.Effect<void, never, Scope.Scope>
}

const isoTime = (milliseconds: number): string => new Date(Date.now() - milliseconds).toISOString()

export const makeSlowCalls = (
  { slowCall, traceparent }: Pick<MountConfig, "slowCall" | "traceparent">,
  tell: SlowCallListener
): SlowCalls => {
  let served: Connection | undefined
  const freshPaths = (): CallPaths => new CallPaths((nodeid) => served?.backend?.pathOf?.(nodeid))
  let paths = freshPaths()
  let pathsSince = 0
  const pathsOf = (request: Request) => {
    // What was asked for is not asked for again at once; but nobody tells of renames here.
    if (performance.now() - pathsSince >= 1000) {
      paths = freshPaths()
      pathsSince = performance.now()
    }
    const { newPath, path } = shownPaths(paths.pathsOf(request))
    return {
      ...(path === undefined ? {} : { path: path.slice(0, pathMost) }),
      ...(newPath === undefined ? {} : { newPath: newPath.slice(0, pathMost) })
    }
  }
  /** Of calls that wait: begun before they are slow, since a process may end with its call. */
  const callers = new Map<U64, Promise<Caller>>()
  const known = new Map<U64, Caller>()
  let second = 0
  let told = 0

  const recordOf = (row: OpcodeRow, request: Request, microseconds: number) => ({
    at: isoTime(microseconds / 1000),
    opcode: row.name,
    unique: String(request.unique),
    ...pathsOf(request),
    pid: request.pid,
    microseconds: Math.round(microseconds)
  })

  const answered = (row: OpcodeRow, request: Request, errno: number, microseconds: number): void => {
    const now = performance.now()
    if (now - second >= 1000) {
      second = now
      told = 0
    }
    if (told++ >= perSecondMost) return
    const caller = callers.get(request.unique) ?? callerOf(request.pid, traceparent)
    const record = { ...recordOf(row, request, microseconds), ...(errno === 0 ? {} : { error: errorText(errno) }) }
    void caller.then((process) => tell.slow({ ...record, ...process }))
  }

  let hadStuck = false
  const look = (connection: Connection, ageOf: (unique: U64) => number | undefined): void => {
    const waiting = Array.from(connection.inFlight.values(), (entry) => ({
      entry,
      age: ageOf(entry.request.unique) ?? 0
    }))
      .filter(({ age }) => age >= slowCall / 2)
      .sort((a, b) => b.age - a.age)
    const uniques = new Set(waiting.map(({ entry }) => entry.request.unique))
    for (const unique of callers.keys()) {
      if (uniques.has(unique)) continue
      callers.delete(unique)
      known.delete(unique)
    }
    for (const { entry } of waiting.slice(0, stuckMost)) {
      const { pid, unique } = entry.request
      if (callers.has(unique)) continue
      const caller = callerOf(pid, traceparent)
      callers.set(unique, caller)
      void caller.then((process) => known.set(unique, process))
    }
    const stuck = waiting
      .filter(({ age }) => age >= slowCall)
      .slice(0, stuckMost)
      .map(({ age, entry: { fiber, request, row } }): StuckCall => ({
        ...recordOf(row, request, age * 1000),
        ...known.get(request.unique),
        state: fiber === undefined ? "waiting" : "running"
      }))
    if (stuck.length > 0 || hadStuck) tell.stuck(stuck)
    hadStuck = stuck.length > 0
  }

  return {
    listener: { milliseconds: slowCall, answered },
    watch: (connection, ageOf) =>
      Effect.asVoid(
        Effect.acquireRelease(
          Effect.sync(() => {
            served = connection
            return setInterval(look, Math.max(20, Math.min(1000, slowCall / 2)), connection, ageOf)
          }),
          (timer) => Effect.sync(() => clearInterval(timer))
        )
      )
  }
}
