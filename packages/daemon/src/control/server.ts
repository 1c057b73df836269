/**
 * The control socket: HTTP over a Unix socket, for the commands and for curl.
 *
 *     GET  /status                     a StatusReport
 *     GET  /metrics  /healthz          for Prometheus and load balancers; these alone on the loopback port
 *     GET  /mounts/NAME/log            the wire log, a line for each request and reply, until it is closed
 *     POST /mounts/NAME/restart        another worker on the same connection
 *     POST /mounts/NAME/unmount?lazy   unmounts; 409 when it is busy
 *     POST /reload                     reads the configuration again
 *
 * Errors are `{ "error": "..." }` with a status of 400 or more.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http"
import { chmodSync, rmSync } from "node:fs"
import type { CommandError } from "../CommandError.ts"
import { commandError } from "../CommandError.ts"
import type { Keeper, Reloaded } from "../keeper/Keeper.ts"
import type { StatusReport } from "./StatusReport.ts"

export interface Controlled {
  readonly keeper: Keeper
  readonly reload: Effect.Effect<Reloaded, CommandError>
  /** In Prometheus' text format. */
  readonly metrics: (report: StatusReport) => string
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`)
}

const refuse = (response: ServerResponse, status: number, message: string): void => json(response, status, { error: message })

/** Runs what was asked for; it goes on though who asked does not wait for it. */
const perform = <A>(response: ServerResponse, effect: Effect.Effect<A, CommandError>): void => {
  Effect.runFork(Effect.matchEffect(effect, {
    onFailure: ({ message }) => Effect.sync(() => refuse(response, 409, message)),
    onSuccess: (answer) => Effect.sync(() => json(response, 200, answer ?? {}))
  }))
}

/** Lines that are not taken are dropped: a mount does not wait for who looks at it. */
const pending = 1024 * 1024

const streamLog = (response: ServerResponse, watch: (listener: (line: string) => void) => () => void): void => {
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" }).flushHeaders()
  const stop = watch((line) => {
    if (response.writableLength < pending) response.write(`${line}\n`)
  })
  response.once("close", stop)
}

const health = (report: StatusReport): readonly [status: number, text: string] => {
  const bad = report.mounts.filter(({ state }) => state === "failed" || state === "backoff")
  return bad.length === 0 ? [200, "ok\n"] : [503, `${bad.map(({ lastCause, name, state }) => `${name}: ${state}: ${lastCause ?? ""}`).join("\n")}\n`]
}

/** What anybody on this machine may read. */
const observing = ({ keeper, metrics }: Controlled): { readonly [path: string]: Handler } => ({
  "/metrics": (_, response) => {
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }).end(metrics(keeper.report()))
  },
  "/healthz": (_, response) => {
    const [status, text] = health(keeper.report())
    response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(text)
  }
})

const onMount = ({ keeper }: Controlled, name: string, action: string | undefined, query: URLSearchParams): Handler | undefined => {
  const withMount = <A>(use: (mount: Effect.Success<ReturnType<Keeper["mount"]>>) => Effect.Effect<A, CommandError>): Handler => (_, response) =>
    Effect.runSync(Effect.match(keeper.mount(name), {
      onFailure: ({ message }) => refuse(response, 404, message),
      onSuccess: (mount) => perform(response, use(mount))
    }))
  switch (action) {
    case "POST restart":
      return withMount((mount) => mount.restart)
    case "POST unmount":
      return withMount((mount) => mount.unmount({ lazy: query.has("lazy") }))
    case "GET log":
      return (_, response) =>
        Effect.runSync(Effect.match(keeper.mount(name), {
          onFailure: ({ message }) => refuse(response, 404, message),
          onSuccess: ({ watch }) => streamLog(response, watch)
        }))
    default:
      return undefined
  }
}

const listener = (route: (method: string, url: URL) => Handler | undefined): RequestListener => (request, response) => {
  const handler = route(request.method ?? "GET", new URL(request.url ?? "/", "http://bickford"))
  request.resume()
  if (handler === undefined) refuse(response, 404, `there is no ${request.method} ${request.url}`)
  else handler(request, response)
}

const listening = (make: () => Server, listen: (server: Server) => void, where: string): Effect.Effect<Server, CommandError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Server, CommandError>((resume) => {
      const server = make()
      server.once("error", (error) => resume(Effect.fail(commandError(`${where}: ${error.message}`))))
      server.once("listening", () => resume(Effect.succeed(server)))
      listen(server)
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )

/** Listens at `socket`, which only this user may use, and at the loopback `port` where one is given. */
export const serveControl = Effect.fnUntraced(function*(socket: string, port: number | undefined, controlled: Controlled) {
  const open = observing(controlled)
  const full = (method: string, { pathname, searchParams }: URL): Handler | undefined => {
    const [, area, name, action] = pathname.split("/")
    if (area === "mounts" && name !== undefined) return onMount(controlled, decodeURIComponent(name), `${method} ${action}`, searchParams)
    if (method === "GET" && pathname === "/status") return (_, response) => json(response, 200, controlled.keeper.report())
    if (method === "POST" && pathname === "/reload") return (_, response) => perform(response, controlled.reload)
    return method === "GET" ? open[pathname] : undefined
  }
  // What is there is a dead daemon's: the state file says that none lives.
  rmSync(socket, { force: true })
  yield* listening(() => createServer(listener(full)), (server) => server.listen(socket), socket)
  chmodSync(socket, 0o600)
  if (port === undefined) return
  const limited = (method: string, { pathname }: URL) => method === "GET" ? open[pathname] : undefined
  yield* listening(() => createServer(listener(limited)), (server) => server.listen(port, "127.0.0.1"), `port ${port}`)
})
