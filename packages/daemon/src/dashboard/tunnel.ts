/** A port of this machine that leads to a daemon's control socket, for whoever has the token. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { request as ask, type IncomingMessage, type ServerResponse } from "node:http"
import type { CommandError } from "../CommandError.ts"
import { type Handler, refuse, type Route, serveHttp } from "../control/httpServer.ts"
import { pageHandler } from "./page.ts"
import { hasToken, isOwnHost, makeToken } from "./token.ts"

/** Hands a request on to the socket, and its answer back as it comes. */
const handOn =
  (socketPath: string): Handler =>
  (request: IncomingMessage, response: ServerResponse) => {
    response.socket?.setTimeout(0)
    const { method = "GET", url = "/" } = request
    const asked = ask({ socketPath, method, path: url })
    asked.once("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
      answer.once("error", () => response.destroy())
    })
    asked.once("error", () => {
      if (response.headersSent) response.destroy()
      else refuse(response, 502, `no daemon answers at ${socketPath}`)
    })
    response.once("close", () => asked.destroy())
    asked.end()
  }

export interface Tunnel {
  readonly port: number
  readonly token: string
}

/** Serves the tunnel on a TCP port of 127.0.0.1 (0 picks a free one) until the scope closes. */
export const openTunnel = (socketPath: string, port: number): Effect.Effect<Tunnel, CommandError, Scope.Scope> => {
  const token = makeToken()
  const refusal =
    (status: number, message: string): Handler =>
    (_, response) =>
      refuse(response, status, message)
  const route = (asked: Route): Handler | undefined => {
    if (!isOwnHost(asked.headers)) return refusal(421, "this page is at 127.0.0.1 and localhost alone")
    const page = pageHandler(asked)
    if (page !== undefined) return page
    if (!hasToken(asked.headers, token)) return refusal(401, "open the address that bickford dashboard prints")
    return handOn(socketPath)
  }
  return Effect.map(
    serveHttp(route, (server) => server.listen(port, "127.0.0.1"), `port ${port}`),
    (server) => {
      const address = server.address()
      return { port: typeof address === "object" && address !== null ? address.port : port, token }
    }
  )
}
