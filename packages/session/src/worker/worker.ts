/**
 * A mount served by a worker thread, so that its program can use the mountpoint synchronously: the calls
 * of the main thread are answered by another.
 */
import { patientTimeoutOrElse } from "@bickford/supervisor"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { Worker } from "node:worker_threads"
import { detach } from "../detach.ts"
import type { MountEnd } from "../Mount.ts"
import { type EndingMount, endingMount } from "../processEnd.ts"
import type { FromWorker, ToWorker, WorkerMountOptions } from "./messages.ts"
import type { PlainError } from "./plainError.ts"
import { startThread } from "./startThread.ts"

/** Why a worker thread's mount did not come about, or ended. */
export class WorkerMountError extends Data.TaggedError("WorkerMountError")<{
  /** What failed, as the worker told it. */
  readonly message: string
  /** The tag of what failed in the worker. */
  readonly reason: string
}> {}

/** A mount that a worker thread serves. */
export interface WorkerMount {
  /** The absolute path. */
  readonly mountpoint: string
  /** `MAJOR:MINOR`. */
  readonly device: string
  /** Waits until the mount is gone. `failed` also when the thread ended in another way. */
  readonly awaitEnd: Effect.Effect<MountEnd["reason"]>
  /** Unmounts, while still serving; resolves when the worker has ended. */
  readonly unmount: (options?: { readonly lazy?: boolean }) => Effect.Effect<void, WorkerMountError>
}

interface Place {
  readonly mountpoint: string
  readonly device: string
}

/** The thread, and what it has told. */
interface Thread {
  readonly worker: Worker
  readonly mounted: Deferred.Deferred<Place, WorkerMountError>
  readonly ended: Deferred.Deferred<MountEnd["reason"]>
  readonly unmounts: Map<number, Deferred.Deferred<void, WorkerMountError>>
  /** Done when the thread is gone, and whatever it left mounted. */
  readonly gone: Deferred.Deferred<void>
  /** Where it is mounted now. */
  place: Place | undefined
  /** What the end of the process makes of it. */
  readonly ending: EndingMount
}

const failure = ({ _tag, message }: PlainError): WorkerMountError => new WorkerMountError({ reason: _tag, message })

/** Nothing more will come of it. */
const over = (thread: Thread, error: WorkerMountError): void => {
  Deferred.doneUnsafe(thread.mounted, Exit.fail(error))
  Deferred.doneUnsafe(thread.ended, Exit.succeed("failed"))
  for (const unmount of thread.unmounts.values()) Deferred.doneUnsafe(unmount, Exit.fail(error))
  thread.unmounts.clear()
}

const onMessage = (thread: Thread, message: FromWorker): void => {
  switch (message.type) {
    case "mounted":
      thread.place = message
      thread.ending.settle(message)
      Deferred.doneUnsafe(thread.mounted, Exit.succeed(message))
      break
    case "failed":
      thread.place = undefined
      thread.ending.settle(undefined)
      over(thread, failure(message.error))
      break
    case "unmounted": {
      const unmount = thread.unmounts.get(message.request)
      thread.unmounts.delete(message.request)
      if (unmount !== undefined)
        Deferred.doneUnsafe(unmount, message.error === undefined ? Exit.void : Exit.fail(failure(message.error)))
      break
    }
    case "ended":
      thread.place = undefined
      thread.ending.over()
      Deferred.doneUnsafe(thread.ended, Exit.succeed(message.reason))
  }
}

/** A thread that was ended by its backend (`process.exit`, an exception that nobody caught) leaves its mount behind. */
const onExit = (thread: Thread, error: WorkerMountError): void => {
  const left = thread.place === undefined ? Effect.void : detach(thread.place)
  Effect.runFork(left).addObserver(() => {
    thread.place = undefined
    thread.ending.over()
    over(thread, error)
    Deferred.doneUnsafe(thread.gone, Exit.void)
  })
}

const start = (module: string, options: WorkerMountOptions, ending: EndingMount): Thread => {
  const thread: Thread = {
    worker: startThread({ module, options }),
    mounted: Deferred.makeUnsafe(),
    ended: Deferred.makeUnsafe(),
    unmounts: new Map(),
    gone: Deferred.makeUnsafe(),
    place: undefined,
    ending
  }
  let thrown: PlainError | undefined
  thread.worker.on("message", (message: FromWorker) => onMessage(thread, message))
  thread.worker.on("error", (error: unknown) => {
    thrown = { _tag: "Error", message: error instanceof Error ? error.message : String(error) }
  })
  thread.worker.on("exit", (status) =>
    onExit(thread, failure(thrown ?? { _tag: "Error", message: `the thread ended with ${status}` }))
  )
  return thread
}

const send = (thread: Thread, message: ToWorker): void => thread.worker.postMessage(message)

/** Ends the thread: in order, and by force when it does not answer. */
const stop = (thread: Thread, patience: Duration.Duration): Effect.Effect<void> =>
  Effect.suspend(() => {
    send(thread, { type: "stop" })
    const byForce = Effect.suspend(() => {
      // It may hang in a call that only the end of the connection ends.
      const left = thread.place === undefined ? Effect.void : detach(thread.place)
      return left.pipe(
        Effect.andThen(Effect.promise(() => thread.worker.terminate())),
        Effect.andThen(Deferred.await(thread.gone))
      )
    })
    return Deferred.await(thread.gone).pipe(patientTimeoutOrElse({ duration: patience, orElse: () => byForce }))
  })

/** What an orderly end may take: until a busy mount is aborted, until its calls are stopped, and a moment. */
const stopPatience = (options: WorkerMountOptions): Duration.Duration =>
  Duration.sum(
    Duration.sum(
      Duration.fromInputUnsafe(options.stopTimeout ?? "5 seconds"),
      Duration.fromInputUnsafe(options.session?.drain ?? "5 seconds")
    ),
    Duration.seconds(1)
  )

/**
 * Starts a thread that imports `module` (a URL) and mounts its export `backend`: a backend, an Effect that
 * acquires one, or a function that makes either. Closing the scope unmounts, as `mount` does; a thread that
 * does not answer is ended by force. A thread that ends in another way leaves no dead mountpoint.
 */
export const worker = (
  module: string | URL,
  options: WorkerMountOptions
): Effect.Effect<WorkerMount, WorkerMountError, Scope.Scope> =>
  Effect.gen(function* () {
    const ending = yield* endingMount(options.unmountOnExit ?? true)
    const thread = yield* Effect.acquireRelease(
      Effect.sync(() => start(String(module), options, ending)),
      (started) => stop(started, stopPatience(options))
    )
    ending.leave = stop(thread, stopPatience(options))
    const { device, mountpoint } = yield* Deferred.await(thread.mounted)
    let requests = 0
    const mounted: WorkerMount = {
      mountpoint,
      device,
      awaitEnd: Deferred.await(thread.ended),
      unmount: (how) =>
        Effect.suspend(() => {
          if (thread.place === undefined)
            return Effect.fail(failure({ _tag: "EINVAL", message: `nothing is mounted at ${mountpoint}` }))
          const request = requests++
          const answer = Deferred.makeUnsafe<void, WorkerMountError>()
          thread.unmounts.set(request, answer)
          send(thread, { type: "unmount", request, lazy: how?.lazy ?? false })
          return Deferred.await(answer)
        })
    }
    return mounted
  })
