/**
 * A server that can be killed: serves a store on a device that its parent holds (descriptor 4), and takes
 * over where the one before it was killed. `resumable.ts STORE`; the parent sends `{ resume }` and is sent
 * the connection's record before INIT is answered, then "serving".
 */
import { sqlite } from "@bickford/backends"
import { type ConnectionRecord, Session } from "@bickford/session"
import { fromFd, makeDeviceTransport } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"

const [store = ""] = process.argv.slice(2)

const instruction = await new Promise<{ readonly resume: ConnectionRecord | undefined }>((resolve) => process.once("message", resolve))

const program = Effect.gen(function*() {
  const transport = yield* makeDeviceTransport(yield* fromFd(4))
  const session = yield* Session.make(transport, sqlite(store), {
    ...(instruction.resume === undefined ? {} : { resume: instruction.resume }),
    onNegotiated: (record) => Effect.callback((resume) => void process.send?.(record, () => resume(Effect.void)))
  })
  yield* session.negotiated
  process.send?.("serving")
  yield* session.awaitEnd
})

await Effect.runPromise(Effect.provide(Effect.scoped(program), Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])))
process.disconnect?.()
