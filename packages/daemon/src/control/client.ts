/** Asking a running daemon, over its control socket. */
import * as Effect from "effect/Effect"
import { type IncomingMessage, request } from "node:http"
import { type CommandError, commandError } from "../CommandError.ts"
import type { StatusReport } from "./StatusReport.ts"

const explain = (socket: string, error: NodeJS.ErrnoException): CommandError => {
  switch (error.code) {
    case "ENOENT":
    case "ECONNREFUSED":
      return commandError(`no daemon runs here (${socket})`)
    case "EACCES":
      return commandError(`this user may not control the daemon at ${socket}`)
    default:
      return commandError(`${socket}: ${error.message}`)
  }
}

/** The head of an answer, whatever its status; its body is still to be read. */
const open = (socketPath: string, method: "GET" | "POST", path: string): Effect.Effect<IncomingMessage, CommandError> =>
  Effect.callback<IncomingMessage, CommandError>((resume) => {
    const asked = request({ socketPath, method, path })
    asked.once("response", (response) => resume(Effect.succeed(response)))
    asked.once("error", (error) => resume(Effect.fail(explain(socketPath, error))))
    asked.end()
    return Effect.sync(() => asked.destroy())
  })

const bodyOf = (response: IncomingMessage): Effect.Effect<string, CommandError> =>
  Effect.tryPromise({
    try: async () => {
      let text = ""
      for await (const part of response.setEncoding("utf8")) text += String(part)
      return text
    },
    catch: () => commandError("the daemon ended before it had answered")
  })

/** Fails with the daemon's own error. */
const refusal = (response: IncomingMessage): Effect.Effect<never, CommandError> =>
  Effect.flatMap(bodyOf(response), (text) => {
    try {
      const { error }: { readonly error?: string } = JSON.parse(text)
      return Effect.fail(commandError(error ?? text))
    } catch {
      return Effect.fail(commandError(text))
    }
  })

const isRefusal = (response: IncomingMessage): boolean => (response.statusCode ?? 500) >= 400

/** The answer's body. */
export const ask = (socket: string, method: "GET" | "POST", path: string): Effect.Effect<string, CommandError> =>
  Effect.flatMap(open(socket, method, path), (response) => (isRefusal(response) ? refusal(response) : bodyOf(response)))

/** Gives `onText` an answer's body as it comes, to its end. */
export const follow = (
  socket: string,
  path: string,
  onText: (text: string) => void
): Effect.Effect<void, CommandError> =>
  Effect.flatMap(open(socket, "GET", path), (response) =>
    isRefusal(response)
      ? refusal(response)
      : Effect.callback<void>((resume) => {
          response
            .setEncoding("utf8")
            .on("data", onText)
            .once("close", () => resume(Effect.void))
          return Effect.sync(() => response.destroy())
        })
  )

export const askStatus = (socket: string): Effect.Effect<StatusReport, CommandError> =>
  Effect.map(ask(socket, "GET", "/status"), (text): StatusReport => JSON.parse(text))
