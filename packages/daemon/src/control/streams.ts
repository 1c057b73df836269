/** Answers that go on until their reader is gone. A mount does not wait for who looks at it. */
import type { CallFilter } from "@bickford/session"
import type { ServerResponse } from "node:http"
import { type CallWatcher, missedLine } from "../keeper/callWatcher.ts"

/** Bytes that may wait for a reader; lines past them are dropped. */
const pending = 1024 * 1024

/** Sends the wire log. */
export const streamLog = (response: ServerResponse, watch: (listener: (line: string) => void) => () => void): void => {
  // A mount that nobody uses has nothing to say for hours.
  response.socket?.setTimeout(0)
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" }).flushHeaders()
  const stop = watch((line) => {
    if (response.writableLength < pending) response.write(`${line}\n`)
  })
  response.once("close", stop)
}

/** Sends calls; those that are not taken are counted, and told of. */
export const streamCalls = (
  response: ServerResponse,
  filter: CallFilter,
  watchCalls: (watcher: CallWatcher) => () => void
): void => {
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
