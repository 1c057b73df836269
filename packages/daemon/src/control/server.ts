/**
 * The control socket: HTTP over a Unix socket, for the commands and for curl.
 *
 *     GET  /status                     a StatusReport
 *     GET  /metrics  /healthz          for Prometheus and load balancers
 *     GET  /  /page/FILE               the dashboard
 *     GET  /events?mount=NAME          what it shows, as server-sent events
 *     GET  /token                      what the loopback port lets act
 *     GET  /mounts/NAME/log            the wire log, a line for each request and reply, until it is closed
 *     GET  /mounts/NAME/calls?op&path&pid&error&slow   each call that was answered, with its path, as JSON lines
 *     POST /mounts/NAME/restart        another worker on the same connection
 *     POST /mounts/NAME/kill           SIGKILL for its worker, as a crash would come; ?child: a child of its session alone
 *     POST /mounts/NAME/fsck           checks its store, which nobody may be serving: { clean, text }
 *     POST /mounts/NAME/unmount?lazy   unmounts; 409 when it is busy
 *     POST /reload                     reads the configuration again
 *
 * On the loopback port, which is everybody's on the machine, only the first three rows of GET; all but /token with
 * `authorization: Bearer TOKEN`.
 *
 * Errors are `{ "error": "..." }` with a status of 400 or more.
 */
import { printable } from "@bickford/protocol"
import * as Cause from "effect/Cause"
import type { CallFilter } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { chmodSync, rmSync } from "node:fs"
import type { ServerResponse } from "node:http"
import type { CommandError } from "../CommandError.ts"
import { missedLine } from "../keeper/callWatcher.ts"
import type { Keeper, Reloaded } from "../keeper/Keeper.ts"
import type { KeptMount } from "../keeper/KeptMount.ts"
import { streamEvents, type Told } from "../dashboard/events.ts"
import { pageHandler } from "../dashboard/page.ts"
import { makeRateKeeper, type RateKeeper } from "../dashboard/rates.ts"
import { checkStoreOf, makeStoreWatch } from "../dashboard/stores.ts"
import { hasToken, isOwnHost, makeToken } from "../dashboard/token.ts"
import { parseCallFilter } from "./callFilter.ts"
import { defaultLimits, type Handler, type HttpLimits, json, refuse, type Route, serveHttp } from "./httpServer.ts"
import { keepListening } from "./keepListening.ts"
import type { StatusReport } from "./StatusReport.ts"

export interface Controlled {
  readonly keeper: Pick<Keeper, "mount" | "report" | "counts">
  readonly reload: Effect.Effect<Reloaded, CommandError>
  /** Makes the directory of the socket, and what else belongs there, anew. */
  readonly restore: Effect.Effect<void, CommandError>
  /** In Prometheus' text format. */
  readonly metrics: (report: StatusReport) => string
}

/** Runs what was asked for; it goes on though who asked does not wait for it. */
const perform = <A>(response: ServerResponse, effect: Effect.Effect<A, CommandError>): void => {
  response.socket?.setTimeout(0)
  Effect.runFork(
    Effect.matchCauseEffect(effect, {
      onFailure: (cause) =>
        Effect.sync(() => {
          const error = Cause.findErrorOption(cause)
          if (error._tag === "Some") refuse(response, 409, error.value.message)
          else refuse(response, 500, String(Cause.squash(cause)))
        }),
      onSuccess: (answer) => Effect.sync(() => json(response, 200, answer ?? {}))
    })
  )
}

/** Lines that are not taken are dropped: a mount does not wait for who looks at it. */
const pending = 1024 * 1024

const streamLog = (response: ServerResponse, watch: (listener: (line: string) => void) => () => void): void => {
  // A mount that nobody uses has nothing to say for hours.
  response.socket?.setTimeout(0)
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" }).flushHeaders()
  const stop = watch((line) => {
    if (response.writableLength < pending) response.write(`${line}\n`)
  })
  response.once("close", stop)
}

/** As the wire log; those that are not taken are counted, and told of. */
const streamCalls = (response: ServerResponse, filter: CallFilter, watchCalls: KeptMount["watchCalls"]): void => {
  response.socket?.setTimeout(0)
  response
    .writeHead(200, { "content-type": "application/x-ndjson; charset=utf-8", "cache-control": "no-store" })
    .flushHeaders()
  let missed = 0
  const stop = watchCalls({
    filter,
    listener: (line) => {
      if (response.writableLength >= pending) {
        missed++
        return
      }
      if (missed > 0) response.write(`${missedLine(missed)}\n`)
      missed = 0
      response.write(`${line}\n`)
    }
  })
  response.once("close", stop)
}

const health = (report: StatusReport): readonly [status: number, text: string] => {
  const bad = report.mounts.filter(({ state }) => state === "failed" || state === "backoff")
  return bad.length === 0
    ? [200, "ok\n"]
    : [
        503,
        `${bad.map(({ lastCause, name, state }) => printable(`${name}: ${state}: ${lastCause ?? ""}`)).join("\n")}\n`
      ]
}

/** What anybody on this machine may read. */
const observing = ({ keeper, metrics }: Controlled): ReadonlyMap<string, Handler> =>
  new Map(
    Object.entries<Handler>({
      metrics: (_, response) => {
        const text = metrics(keeper.report())
        response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }).end(text)
      },
      healthz: (_, response) => {
        const [status, text] = health(keeper.report())
        response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(text)
      }
    })
  )

const onMount = ({ keeper }: Controlled, name: string, action: string, query: URLSearchParams): Handler | undefined => {
  const withMount =
    (use: (mount: Effect.Success<ReturnType<Keeper["mount"]>>, response: ServerResponse) => void): Handler =>
    (_, response) =>
      Effect.runSync(
        Effect.match(keeper.mount(name), {
          onFailure: ({ message }) => refuse(response, 404, message),
          onSuccess: (mount) => use(mount, response)
        })
      )
  switch (action) {
    case "POST restart":
      return withMount((mount, response) => perform(response, mount.restart))
    case "POST kill":
      return withMount((mount, response) => {
        const child = query.get("child")
        perform(response, child === null ? mount.kill : mount.killChild(child))
      })
    case "POST unmount":
      return withMount((mount, response) => perform(response, mount.unmount({ lazy: query.has("lazy") })))
    case "POST fsck":
      return withMount((mount, response) => perform(response, checkStoreOf(mount.config.source)))
    case "GET log":
      return withMount(({ watch }, response) => streamLog(response, watch))
    case "GET calls": {
      const filter = parseCallFilter(query)
      return Result.isSuccess(filter)
        ? withMount(({ watchCalls }, response) => streamCalls(response, filter.success, watchCalls))
        : (_, response) => refuse(response, 400, filter.failure.message)
    }
    default:
      return undefined
  }
}

const isForMachines = ({ path: [area = ""] }: Route): boolean => area === "metrics" || area === "healthz"

/** What the page is told from. */
const toldBy = ({ keeper }: Controlled, rates: RateKeeper, storeOf: ReturnType<typeof makeStoreWatch>): Told => ({
  rates,
  report: keeper.report,
  inside: (name) =>
    Effect.runSync(
      Effect.match(keeper.mount(name), {
        onFailure: () => undefined,
        onSuccess: (mount) => ({ ...mount.slowCalls(), ...mount.tree(), store: storeOf(mount.config.source) })
      })
    )
})

/** What only looks. */
const observed = (controlled: Controlled, rates: RateKeeper, mayAct: boolean) => {
  const open = observing(controlled)
  const told = toldBy(controlled, rates, makeStoreWatch())
  return (route: Route): Handler | undefined => {
    const { method, path, query } = route
    const [area = ""] = path
    if (method !== "GET") return undefined
    if (area === "events" && path.length === 1)
      return (_, response) => streamEvents(response, told, mayAct, query.get("mount"))
    return (path.length === 1 ? open.get(area) : undefined) ?? pageHandler(route)
  }
}

/** What acts, or tells what callers do, too. */
const commanded =
  (controlled: Controlled, looking: (route: Route) => Handler | undefined) =>
  (route: Route): Handler | undefined => {
    const {
      method,
      path: [area, name, action],
      path,
      query
    } = route
    if (area === "mounts" && name !== undefined && path.length === 3)
      return onMount(controlled, name, `${method} ${action}`, query)
    if (path.length === 1 && method === "GET" && area === "status")
      return (_, response) => json(response, 200, controlled.keeper.report())
    if (path.length === 1 && method === "POST" && area === "reload")
      return (_, response) => perform(response, controlled.reload)
    return looking(route)
  }

/**
 * Listens at `socket`, which only this user may use, and at the loopback `port` where one is given, which is
 * for everybody on the machine. No request to either ends the process.
 */
export const serveControl = Effect.fnUntraced(function* (
  socket: string,
  port: number | undefined,
  controlled: Controlled,
  limits: HttpLimits = defaultLimits
) {
  const rates = yield* makeRateKeeper(controlled.keeper.counts)
  const token = makeToken()
  const limited = observed(controlled, rates, false)
  const full = commanded(controlled, observed(controlled, rates, true))
  const bySocket = (route: Route): Handler | undefined =>
    route.method === "GET" && route.path.join("/") === "token"
      ? (_, response) => json(response, 200, { token, ...(port === undefined ? {} : { port }) })
      : full(route)
  const byPort = (route: Route): Handler | undefined => {
    if (!isOwnHost(route.headers) && !isForMachines(route))
      return (_, response) => refuse(response, 421, "this page is at 127.0.0.1 and localhost alone")
    return hasToken(route.headers, token) ? full(route) : limited(route)
  }
  const listen = Effect.gen(function* () {
    // What is there is a dead daemon's: the state file says that none lives.
    rmSync(socket, { force: true })
    yield* serveHttp(bySocket, (server) => server.listen(socket), socket, limits)
    chmodSync(socket, 0o600)
  })
  yield* keepListening(socket, listen, controlled.restore)
  if (port === undefined) return
  yield* serveHttp(byPort, (server) => server.listen(port, "127.0.0.1"), `port ${port}`, limits)
})
