/** Serves the device that the parent holds, until it is unmounted. See resumable.ts. */
import { type BackendSource, type ConnectionRecord, Session } from "@bickford/session"
import { type FrameTransport, fromFd, makeDeviceTransport } from "@bickford/transport"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"

const watched = (transport: FrameTransport, onFrame: () => void): FrameTransport => {
  const run: FrameTransport["run"] = (sink) =>
    transport.run({
      onBatchEnd: sink.onBatchEnd,
      onFrame: (slot) => {
        onFrame()
        sink.onFrame(slot)
      }
    })
  return new Proxy(transport, {
    get: (target, name) => {
      if (name === "run") return run
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === "function" ? value.bind(target) : value
    }
  })
}

/** Serves `backend`; `onFrame`, if given, is called with each request that was read, before anything is made of it. */
export const serveDevice = async (backend: BackendSource, onFrame?: () => void): Promise<void> => {
  const instruction = await new Promise<{ readonly resume: ConnectionRecord | undefined }>((resolve) =>
    process.once("message", resolve)
  )
  const program = Effect.gen(function* () {
    const device = yield* makeDeviceTransport(yield* fromFd(4))
    const transport = onFrame === undefined ? device : watched(device, onFrame)
    const session = yield* Session.make(transport, backend, {
      ...(instruction.resume === undefined ? {} : { resume: instruction.resume }),
      onNegotiated: (record) => Effect.callback((resume) => void process.send?.(record, () => resume(Effect.void)))
    })
    yield* session.negotiated
    process.send?.("serving")
    yield* session.awaitEnd
  })
  await Effect.runPromise(
    Effect.provide(Effect.scoped(program), Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)]))
  )
  process.disconnect?.()
}
