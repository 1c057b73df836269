/**
 * What the process that serves a mount without a daemon answers to `bickford stats` and `bickford trace`: HTTP over a socket
 * that is its user's alone.
 *
 *     GET /status?seconds=S                           a MountStatus of what is counted meanwhile
 *     GET /calls?op&path&pid&error&slow&share         as of the daemon
 *
 * Nothing is counted before it is asked for: a mount that nobody looks at pays for nothing.
 */
import { observe, type Session } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { rmSync } from "node:fs"
import type { ServerResponse } from "node:http"
import { dirname } from "node:path"
import type { CommandError } from "../CommandError.ts"
import { parseCallFilter } from "../control/callFilter.ts"
import { type Handler, json, refuse, type Route, serveHttp } from "../control/httpServer.ts"
import type { MountStatus } from "../control/StatusReport.ts"
import { streamCalls } from "../control/streams.ts"
import { type CallWatcher, missedLine } from "../keeper/callWatcher.ts"
import { makeRuntimeDirectory } from "../keeper/privateDirectory.ts"
import { withPercentiles } from "../metrics/percentiles.ts"
import { makeCallWatchers } from "../worker/callWatchers.ts"
import { makeCounters } from "../worker/counters.ts"
import { heldBy } from "../worker/heldBy.ts"
import { directSocketOf } from "./socketOf.ts"

/** What is mounted where. */
export interface DirectMount {
  readonly session: Session.Session
  readonly mountpoint: string
  /** As it may be shown. */
  readonly source: string
  /** `MAJOR:MINOR`. */
  readonly device: string
}

/** Seconds that are counted at most. */
const secondsMost = 3600

/** Characters of a record of a call. */
const recordMost = 2 ** 16

/** Counts for so many seconds, or until the reader is gone, and answers with what was counted. */
const count = ({ mountpoint, session, source }: DirectMount, seconds: number, response: ServerResponse): void => {
  response.socket?.setTimeout(0)
  const mountedAt = Math.round(Date.now())
  const { numbers, observer } = makeCounters()
  const counted = Effect.gen(function* () {
    yield* observe(session.connection, observer)
    yield* Effect.sleep(`${seconds} seconds`)
    const now = numbers(heldBy(session))
    const status: MountStatus = {
      name: mountpoint,
      source,
      mountpoint,
      state: "running",
      pid: process.pid,
      since: mountedAt,
      mountedAt,
      restarts: 0,
      history: [],
      ...now,
      operations: withPercentiles(now.operations)
    }
    json(response, 200, status)
  }).pipe(Effect.scoped)
  const fiber = Effect.runFork(counted)
  response.once("close", () => fiber.interruptUnsafe())
}

const makeWatch = (session: Session.Session): ((watcher: CallWatcher) => () => void) => {
  const listeners = new Map<number, (line: string) => void>()
  let last = 0
  const { watch } = makeCallWatchers(
    session,
    (message, done) => {
      if (message.type === "call") listeners.get(message.watcher)?.(message.line)
      else if (message.type === "missed") listeners.get(message.watcher)?.(missedLine(message.count))
      done()
    },
    recordMost
  )
  return ({ filter, listener }) => {
    const number = ++last
    listeners.set(number, listener)
    watch(number, filter)
    return () => {
      watch(number, undefined)
      listeners.delete(number)
    }
  }
}

const routeOf = (mount: DirectMount) => {
  const watchCalls = makeWatch(mount.session)
  return ({ method, path, query }: Route): Handler | undefined => {
    if (method !== "GET" || path.length !== 1) return undefined
    switch (path[0]) {
      case "status": {
        const seconds = Number(query.get("seconds") ?? "1")
        return seconds > 0 && seconds <= secondsMost
          ? (_, response) => count(mount, seconds, response)
          : (_, response) => refuse(response, 400, `seconds are above 0 and up to ${secondsMost}`)
      }
      case "calls": {
        const filter = parseCallFilter(query)
        return Result.isSuccess(filter)
          ? (_, response) => streamCalls(response, filter.success, watchCalls)
          : (_, response) => refuse(response, 400, filter.failure.message)
      }
      default:
        return undefined
    }
  }
}

/** Answers until the scope closes. Fails where no socket can be made, as without a runtime directory of the user's own. */
export const answerDirectly = (mount: DirectMount): Effect.Effect<void, CommandError, Scope.Scope> => {
  const socket = directSocketOf(mount.device)
  return Effect.gen(function* () {
    yield* makeRuntimeDirectory(dirname(dirname(socket)))
    yield* makeRuntimeDirectory(dirname(socket))
    // Of a dead process that served a mount with this number.
    yield* Effect.sync(() => rmSync(socket, { force: true }))
    yield* serveHttp(routeOf(mount), (server) => server.listen(socket), socket)
  })
}
