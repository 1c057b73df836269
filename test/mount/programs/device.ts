/** Serves the device that the parent holds, until it is unmounted. See resumable.ts. */
import { type BackendSource, type ConnectionRecord, Session } from "@bickford/session"
import { fromFd, makeDeviceTransport } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"

export const serveDevice = async (backend: BackendSource): Promise<void> => {
  const instruction = await new Promise<{ readonly resume: ConnectionRecord | undefined }>((resolve) => process.once("message", resolve))
  const program = Effect.gen(function*() {
    const transport = yield* makeDeviceTransport(yield* fromFd(4))
    const session = yield* Session.make(transport, backend, {
      ...(instruction.resume === undefined ? {} : { resume: instruction.resume }),
      onNegotiated: (record) => Effect.callback((resume) => void process.send?.(record, () => resume(Effect.void)))
    })
    yield* session.negotiated
    process.send?.("serving")
    yield* session.awaitEnd
  })
  await Effect.runPromise(Effect.provide(Effect.scoped(program), Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])))
  process.disconnect?.()
}
