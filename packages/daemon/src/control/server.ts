/**
 * The control socket: HTTP over a Unix socket, for the commands and for curl.
 *
 *     GET  /status                     a StatusReport
 *     GET  /metrics  /healthz          for Prometheus and load balancers
 *     GET  /  /page/FILE               the dashboard
 *     GET  /events?mount=NAME          what it shows, as server-sent events
 *     GET  /token                      what the loopback port lets act
 *     GET  /mounts/NAME/log            the wire log, a line for each request and reply, until it is closed
 *     GET  /mounts/NAME/calls?op&path&pid&error&slow&share   calls as they are answered, with their paths, as JSON lines
 *     GET  /mounts/NAME/history        each minute of the last 24 hours, as CSV
 *     POST /mounts/NAME/restart        another worker on the same connection
 *     POST /mounts/NAME/kill           SIGKILL for its worker, as a crash would come; ?child: a child of its session alone
 *     POST /mounts/NAME/restart?child  stops a child of its session in order, and starts it again
 *     POST /mounts/NAME/interrupt?unique   a call that is not answered yet, as a signal to its caller would
 *     POST /mounts/NAME/prune  /mounts/NAME/epoch   has the kernel drop what nobody uses; look every name up again
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
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { chmodSync, rmSync } from "node:fs"
import type { ServerResponse } from "node:http"
import type { CommandError } from "../CommandError.ts"
import type { Keeper, Reloaded } from "../keeper/Keeper.ts"
import { streamEvents, type Told } from "../dashboard/events.ts"
import { historyCsv, keepHistory, type Minute, type ReadHistory } from "../dashboard/history.ts"
import { pageHandler } from "../dashboard/page.ts"
import { makeRateKeeper, type RateKeeper } from "../dashboard/rates.ts"
import { checkStoreOf, makeStoreWatch } from "../dashboard/stores.ts"
import { hasToken, isOwnHost, makeToken } from "../dashboard/token.ts"
import { parseCallFilter } from "./callFilter.ts"
import { defaultLimits, type Handler, type HttpLimits, json, refuse, type Route, serveHttp } from "./httpServer.ts"
import { keepListening } from "./keepListening.ts"
import type { StatusReport } from "./StatusReport.ts"
import { streamCalls, streamLog } from "./streams.ts"

export interface Controlled {
  readonly keeper: Pick<Keeper, "mount" | "report" | "counts">
  readonly reload: Effect.Effect<Reloaded, CommandError>
  /** Makes the directory of the socket, and what else belongs there, anew. */
  readonly restore: Effect.Effect<void, CommandError>
  /** Where the history of the mounts is kept; without it none is. */
  readonly historyDirectory?: string
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

/** What is asked of one mount. */
interface OnMount {
  readonly name: string
  /** With its method, as `POST restart`. */
  readonly action: string
  readonly query: URLSearchParams
}

const sendHistory = (response: ServerResponse, minutes: Effect.Effect<ReadonlyArray<Minute>>): void => {
  Effect.runFork(
    Effect.map(minutes, (known) => {
      response
        .writeHead(200, {
          "content-type": "text/csv; charset=utf-8",
          "content-disposition": 'attachment; filename="history.csv"',
          "cache-control": "no-store"
        })
        .end(historyCsv(known))
    })
  )
}

const onMount = (
  { keeper }: Controlled,
  readHistory: ReadHistory | undefined,
  { action, name, query }: OnMount
): Handler | undefined => {
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
      return withMount((mount, response) => {
        const child = query.get("child")
        perform(response, child === null ? mount.restart : mount.restartChild(child))
      })
    case "POST interrupt":
      return withMount((mount, response) => perform(response, mount.interrupt(query.get("unique") ?? "")))
    case "POST prune":
      return withMount((mount, response) => perform(response, mount.tellKernel("prune")))
    case "POST epoch":
      return withMount((mount, response) => perform(response, mount.tellKernel("epoch")))
    case "POST kill":
      return withMount((mount, response) => {
        const child = query.get("child")
        perform(response, child === null ? mount.kill : mount.killChild(child))
      })
    case "POST unmount":
      return withMount((mount, response) => perform(response, mount.unmount({ lazy: query.has("lazy") })))
    case "POST fsck":
      return withMount((mount, response) => perform(response, checkStoreOf(mount.config.source)))
    case "GET history":
      return readHistory === undefined
        ? undefined
        : withMount((_, response) => sendHistory(response, readHistory(name)))
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
        onSuccess: (mount) => ({
          ...mount.slowCalls(),
          ...mount.tree(),
          negotiated: mount.connection()?.negotiated,
          store: storeOf(mount.config.source)
        })
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
  (controlled: Controlled, readHistory: ReadHistory | undefined, looking: (route: Route) => Handler | undefined) =>
  (route: Route): Handler | undefined => {
    const {
      method,
      path: [area, name, action],
      path,
      query
    } = route
    if (area === "mounts" && name !== undefined && path.length === 3)
      return onMount(controlled, readHistory, { name, action: `${method} ${action}`, query })
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
  const { historyDirectory, keeper } = controlled
  const readHistory = historyDirectory === undefined ? undefined : yield* keepHistory(historyDirectory, keeper.counts)
  const token = makeToken()
  const limited = observed(controlled, rates, false)
  const full = commanded(controlled, readHistory, observed(controlled, rates, true))
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
