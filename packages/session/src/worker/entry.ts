/** The worker thread of `Mount.worker`: imports the module with the backend, mounts, and serves. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { parentPort, workerData } from "node:worker_threads"
import { loadBackend } from "../loadBackend.ts"
import { mount } from "../Mount.ts"
import type { FromWorker, PlainError, ToWorker, WorkerData } from "./messages.ts"

const port = parentPort
if (port === null) throw new Error("this is the entry of a worker thread")

const say = (message: FromWorker): void => port.postMessage(message)

const plain = (error: unknown): PlainError => {
  const message = typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error)
  return { _tag: typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : "Error", message }
}

// The thread starts with what its program gave it.
const { module, options } = workerData as WorkerData

const program = Effect.scoped(Effect.gen(function*() {
  const mounted = yield* mount({ ...options, backend: yield* loadBackend(module) })
  const stop = Effect.callback<void>((resume) => {
    port.on("message", (message: ToWorker) => {
      if (message.type === "stop") resume(Effect.void)
      else {
        Effect.runFork(Effect.matchEffect(mounted.unmount({ lazy: message.lazy }), {
          onFailure: (error) => Effect.sync(() => say({ type: "unmounted", error: plain(error) })),
          onSuccess: () => Effect.sync(() => say({ type: "unmounted", error: undefined }))
        }))
      }
    })
  })
  say({ type: "mounted", mountpoint: mounted.mountpoint, device: mounted.device })
  yield* Effect.raceFirst(Effect.asVoid(mounted.awaitEnd), stop)
  return mounted
}))

const reported = Effect.gen(function*() {
  const mounted = yield* program
  say({ type: "ended", reason: (yield* mounted.awaitEnd).reason })
}).pipe(
  Effect.catchCause((cause) => Effect.sync(() => say({ type: "failed", error: plain(Cause.squash(cause)) }))),
  Effect.provide(Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)]))
)

Effect.runFork(reported).addObserver(() => port.close())
