/** The worker thread of `Mount.worker`: imports the module with the backend, mounts, and serves. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { parentPort, workerData } from "node:worker_threads"
import { loadBackend } from "../loadBackend.ts"
import { mount } from "../Mount.ts"
import { logToStderr } from "../observe/logging.ts"
import type { FromWorker, ToWorker, WorkerData } from "./messages.ts"
import { plainError } from "./plainError.ts"

const port = parentPort
if (port === null) throw new Error("this is the entry of a worker thread")

const say = (message: FromWorker): void => port.postMessage(message)

// The thread starts with what its program gave it.
const { module, options } = workerData as WorkerData

const program = Effect.scoped(
  Effect.gen(function* () {
    const mounted = yield* mount({ ...options, unmountOnExit: false, backend: yield* loadBackend(module) })
    const unmounting = yield* FiberSet.make<void>()
    const run = yield* FiberSet.runtime(unmounting)()
    const stop = Effect.callback<void>((resume) => {
      port.on("message", (message: ToWorker) => {
        if (message.type === "stop") resume(Effect.void)
        else {
          const { lazy, request } = message
          run(
            Effect.match(mounted.unmount({ lazy }), {
              onFailure: (error) => say({ type: "unmounted", request, error: plainError(error) }),
              onSuccess: () => say({ type: "unmounted", request, error: undefined })
            })
          )
        }
      })
    })
    say({ type: "mounted", mountpoint: mounted.mountpoint, device: mounted.device })
    yield* Effect.raceFirst(Effect.asVoid(mounted.awaitEnd), stop)
    // The mount can be gone before the call that unmounted it has returned.
    yield* FiberSet.awaitEmpty(unmounting)
    return mounted
  })
)

const reported = Effect.gen(function* () {
  const mounted = yield* program
  say({ type: "ended", reason: (yield* mounted.awaitEnd).reason })
}).pipe(
  Effect.catchCause((cause) => Effect.sync(() => say({ type: "failed", error: plainError(Cause.squash(cause)) }))),
  Effect.provide(logToStderr)
)

Effect.runFork(reported).addObserver(() => port.close())
