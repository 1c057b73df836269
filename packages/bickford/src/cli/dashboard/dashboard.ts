/** `bickford dashboard`: the address of the daemon's page, with what lets its reader act. */
import { ask, socketIn } from "@bickford/daemon"
import { openTunnel } from "@bickford/daemon/dashboard"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

interface Access {
  readonly token: string
  /** Where the daemon serves the page itself, if its configuration has a port. */
  readonly port?: number
}

const address = ({ port, token }: { readonly port: number; readonly token: string }): string =>
  `http://127.0.0.1:${port}/#token=${token}`

/** Prints the address; where the daemon has no port, one is served here until Ctrl-C. */
export const dashboard = Effect.fnUntraced(function* (runtimeDirectory: string, wanted: number | undefined) {
  const socket = socketIn(runtimeDirectory)
  const { port, token }: Access = JSON.parse(yield* ask(socket, "GET", "/token"))
  if (port !== undefined && (wanted === undefined || wanted === port)) {
    return yield* Console.log(address({ port, token }))
  }
  const tunnel = yield* openTunnel(socket, wanted ?? 0)
  yield* Console.log(`${address(tunnel)}\nserved until Ctrl-C`)
  return yield* Effect.never
}, Effect.scoped)
