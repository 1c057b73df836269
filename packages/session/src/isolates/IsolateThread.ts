/** A thread with one of the isolates that serve a mount. */
import { patientTimeoutOption } from "@bickford/supervisor"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { PlainError } from "../worker/plainError.ts"
import { IsolateError } from "./Isolates.ts"
import type { FromIsolate, IsolateData, IsolateStart, ToIsolate } from "./messages.ts"
import { startIsolateThread } from "./startIsolateThread.ts"

const isolateError = ({ _tag, message }: PlainError): IsolateError => new IsolateError({ reason: _tag, message })

/** How long an isolate may take to end in order. */
const patience = "2 seconds"

/** A thread that was started. */
export interface IsolateThread {
  /** Has it serve. */
  readonly serve: (data: IsolateData) => void
  readonly send: (message: ToIsolate) => void
  /** Whether its modules are loaded, so that it can serve at once. */
  readonly isLoaded: () => boolean
  /** Waits until it serves its queues. */
  readonly ready: Effect.Effect<void, IsolateError>
  /** Waits for its end, which is a failure always: the mount ends its isolates by `stop`. */
  readonly ended: Effect.Effect<never, IsolateError>
  /** Ends it, in order if it serves and answers, and waits until nothing of it is left. */
  readonly stop: Effect.Effect<void>
}

export const startIsolate = (start: IsolateStart): IsolateThread => {
  const worker = startIsolateThread(start)
  const send = (message: ToIsolate): void => worker.postMessage(message)
  let loaded = false
  let serves = false
  const ready = Deferred.makeUnsafe<void, IsolateError>()
  const ended = Deferred.makeUnsafe<never, IsolateError>()
  let thrown: PlainError | undefined
  worker.on("message", (message: FromIsolate) => {
    if (message.type === "loaded") loaded = true
    else if (message.type === "ready") Deferred.doneUnsafe(ready, Exit.void)
    else thrown = message.error
  })
  worker.on("error", (error: unknown) => {
    thrown = { _tag: "Error", message: error instanceof Error ? error.message : String(error) }
  })
  worker.on("exit", (status) => {
    const exit = Exit.fail(isolateError(thrown ?? { _tag: "Error", message: `the thread ended with ${status}` }))
    Deferred.doneUnsafe(ready, exit)
    Deferred.doneUnsafe(ended, exit)
  })
  const gone = Effect.asVoid(Effect.exit(Deferred.await(ended)))
  const terminated = Effect.andThen(
    Effect.promise(() => worker.terminate()),
    gone
  )
  return {
    serve: (data) => {
      serves = true
      send({ type: "serve", data })
    },
    send,
    isLoaded: () => loaded,
    ready: Deferred.await(ready),
    ended: Deferred.await(ended),
    stop: Effect.suspend(() => {
      if (!serves) return terminated
      send({ type: "stop" })
      return Effect.flatMap(patientTimeoutOption(patience)(gone), (inTime) =>
        inTime._tag === "Some" ? Effect.void : terminated
      )
    })
  }
}
