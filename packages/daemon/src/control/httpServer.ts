/**
 * An HTTP server that no request can end: sizes, times and connections are bounded, and whatever a handler
 * throws costs that request alone.
 */
import { printableJson } from "@bickford/protocol"
import { descriptorLimit } from "@bickford/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse
} from "node:http"
import type { Duplex } from "node:stream"
import { type CommandError, commandError } from "../CommandError.ts"

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A request's method, and what its target names. */
export interface Route {
  readonly method: string
  /** The target's path, between its slashes, decoded. */
  readonly path: ReadonlyArray<string>
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
}

/** Times are milliseconds. */
export interface HttpLimits {
  /** Of a request's line and header fields together, in bytes. */
  readonly headerBytes: number
  /** Of a request's body, in bytes; no request here needs one. */
  readonly bodyBytes: number
  /** Until the header fields are there, from the connection's beginning or the last answer. */
  readonly headerTime: number
  /** Until the whole request is there. */
  readonly requestTime: number
  /** How long a connection may lie idle, and an answer may wait to be taken. */
  readonly idleTime: number
  readonly connections: number
}

export const defaultLimits: HttpLimits = {
  headerBytes: 8192,
  bodyBytes: 65_536,
  headerTime: 10_000,
  requestTime: 20_000,
  idleTime: 30_000,
  connections: 64
}

export const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" }).end(`${printableJson(body)}\n`)
}

export const refuse = (response: ServerResponse, status: number, message: string): void =>
  json(response, status, { error: message })

/** Undefined for a target that is no path, has an empty part, or is not well encoded. */
const routeOf = ({ headers, method = "GET", url: target = "" }: IncomingMessage): Route | undefined => {
  if (!target.startsWith("/")) return undefined
  const at = target.indexOf("?")
  const path = at < 0 ? target : target.slice(0, at)
  if (path.includes("//")) return undefined
  try {
    return {
      method,
      path: path.slice(1).split("/").map(decodeURIComponent),
      query: new URLSearchParams(at < 0 ? "" : target.slice(at + 1)),
      headers
    }
  } catch {
    return undefined
  }
}

/** Answers a request that failed, where there is still something to answer. */
const fail = (response: ServerResponse, status: number, message: string): void => {
  if (response.headersSent) response.destroy()
  else refuse(response, status, message)
}

/** Reads a body away; one that grows too long ends its connection. */
const discardBody = (request: IncomingMessage, most: number): void => {
  let bytes = 0
  request.on("data", (part: Buffer) => {
    bytes += part.length
    if (bytes > most) request.socket.destroy()
  })
}

const isTooLong = ({ headers }: IncomingMessage, most: number): boolean => Number(headers["content-length"] ?? 0) > most

/** Why the parser refused a request: a status for who sent it. */
const statusOf = (code: string | undefined): string => {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return "431 Request Header Fields Too Large"
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return "408 Request Timeout"
    default:
      return "400 Bad Request"
  }
}

const onClientError = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (error.code === "ECONNRESET" || !socket.writable) socket.destroy()
  else socket.end(`HTTP/1.1 ${statusOf(error.code)}\r\nconnection: close\r\n\r\n`)
}

type Report = (message: string) => void

const answer =
  (route: (route: Route) => Handler | undefined, limits: HttpLimits, report: Report): Handler =>
  (request, response) => {
    // A peer that goes away is no fault of this process.
    for (const stream of [request, response]) stream.on("error", () => {})
    discardBody(request, limits.bodyBytes)
    const { method = "GET", url = "" } = request
    try {
      if (isTooLong(request, limits.bodyBytes)) {
        response.setHeader("connection", "close")
        return refuse(response, 413, `a request's body is at most ${limits.bodyBytes} bytes`)
      }
      const asked = routeOf(request)
      if (asked === undefined) return refuse(response, 400, "the request's target is not a path, or not well encoded")
      const handler = route(asked)
      if (handler === undefined) refuse(response, 404, `there is no ${method} ${url}`)
      else handler(request, response)
    } catch (defect) {
      report(`answering ${method} ${url} failed: ${defect instanceof Error ? defect.message : String(defect)}`)
      fail(response, 500, "this request could not be answered; the daemon's log says why")
    }
  }

const makeServer = (route: (route: Route) => Handler | undefined, limits: HttpLimits, report: Report): Server => {
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headerTime,
      requestTimeout: limits.requestTime,
      keepAliveTimeout: limits.idleTime,
      connectionsCheckingInterval: Math.max(50, Math.min(1000, limits.headerTime / 4))
    },
    answer(route, limits, report)
  )
  // Workers need descriptors, too: whoever connects must not take the last of them.
  server.maxConnections = Math.max(1, Math.min(limits.connections, Math.floor(descriptorLimit().free / 4)))
  server.setTimeout(limits.idleTime, (socket) => socket.destroy())
  server.on("clientError", onClientError)
  return server
}

/**
 * Listens until the scope closes, having `route` choose who answers; `listen` says where, and `where` names it
 * for people.
 */
export const serveHttp = (
  route: (route: Route) => Handler | undefined,
  listen: (server: Server) => void,
  where: string,
  limits: HttpLimits = defaultLimits
): Effect.Effect<Server, CommandError, Scope.Scope> =>
  Effect.flatMap(Effect.context<never>(), (context) => {
    const run = Effect.runForkWith(context)
    const report: Report = (message) => void run(Effect.logError(`${where}: ${message}`))
    return Effect.acquireRelease(
      Effect.callback<Server, CommandError>((resume) => {
        const server = makeServer(route, limits, report)
        let listening = false
        // Also later, as when no descriptor is left for a connection: then the connection is lost, and not the server.
        server.on("error", (error) => {
          if (listening) report(error.message)
          else resume(Effect.fail(commandError(`${where}: ${error.message}`)))
        })
        server.once("listening", () => {
          listening = true
          resume(Effect.succeed(server))
        })
        listen(server)
      }),
      (server) =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    )
  })
