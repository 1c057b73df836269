/**
 * A mount served by a worker thread, so that its program can use the mountpoint synchronously: the calls
 * of the main thread are answered by another.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Worker } from "node:worker_threads"
import type { MountEnd } from "../Mount.ts"
import type { FromWorker, PlainError, ToWorker, WorkerData, WorkerMountOptions } from "./messages.ts"

export interface WorkerMountError {
  readonly _tag: "WorkerMountError"
  readonly message: string
  /** The tag of what failed in the worker. */
  readonly reason: string
}

export interface WorkerMount {
  /** The absolute path. */
  readonly mountpoint: string
  /** `MAJOR:MINOR`. */
  readonly device: string
  /** Waits until the mount is gone. `failed` also when the thread ended in another way. */
  readonly awaitEnd: Effect.Effect<MountEnd["reason"]>
  readonly unmount: (options?: { readonly lazy?: boolean }) => Effect.Effect<void, WorkerMountError>
}

// The built file has the same name but for its ending.
const entry = new URL(import.meta.url.endsWith(".ts") ? "./entry.ts" : "./entry.js", import.meta.url)

const failure = ({ _tag, message }: PlainError): WorkerMountError => ({ _tag: "WorkerMountError", reason: _tag, message })

/**
 * Starts a thread that imports `module` (a URL) and mounts its export `backend`: a backend, an Effect that
 * acquires one, or a function that makes either. Closing the scope unmounts, as `mount` does.
 */
export const worker = (module: string | URL, options: WorkerMountOptions): Effect.Effect<WorkerMount, WorkerMountError, Scope.Scope> =>
  Effect.gen(function*() {
    const mounted = yield* Deferred.make<{ readonly mountpoint: string; readonly device: string }, WorkerMountError>()
    const ended = yield* Deferred.make<MountEnd["reason"]>()
    const answers: Array<Deferred.Deferred<void, WorkerMountError>> = []

    const thread = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const data: WorkerData = { module: String(module), options }
        const started = new Worker(entry, { workerData: data })
        const over = (error: PlainError): void => {
          Deferred.doneUnsafe(mounted, Effect.fail(failure(error)))
          Deferred.doneUnsafe(ended, Effect.succeed("failed"))
          for (const answer of answers.splice(0)) Deferred.doneUnsafe(answer, Effect.fail(failure(error)))
        }
        started.on("message", (message: FromWorker) => {
          switch (message.type) {
            case "mounted":
              Deferred.doneUnsafe(mounted, Effect.succeed(message))
              break
            case "failed":
              over(message.error)
              break
            case "unmounted": {
              const { error } = message
              const answer = answers.shift()
              if (answer !== undefined) Deferred.doneUnsafe(answer, error === undefined ? Effect.void : Effect.fail(failure(error)))
              break
            }
            case "ended":
              Deferred.doneUnsafe(ended, Effect.succeed(message.reason))
          }
        })
        started.on("error", (error) => over({ _tag: "Error", message: error.message }))
        started.on("exit", (status) => over({ _tag: "Error", message: `the thread ended with ${status}` }))
        return started
      }),
      (started) =>
        Effect.callback<void>((resume) => {
          if (started.threadId === -1) {
            resume(Effect.void)
            return
          }
          started.once("exit", () => resume(Effect.void))
          const stop: ToWorker = { type: "stop" }
          started.postMessage(stop)
        })
    )

    const { device, mountpoint } = yield* Deferred.await(mounted)
    return {
      mountpoint,
      device,
      awaitEnd: Deferred.await(ended),
      unmount: (how) =>
        Effect.suspend(() => {
          const answer = Deferred.makeUnsafe<void, WorkerMountError>()
          answers.push(answer)
          const message: ToWorker = { type: "unmount", lazy: how?.lazy ?? false }
          thread.postMessage(message)
          return Deferred.await(answer)
        })
    }
  })
