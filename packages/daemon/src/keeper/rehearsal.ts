/** Whether a mount could be served, found out before anything is given up for it. */
import { patientTimeoutOrElse } from "@bickford/supervisor"
import * as Effect from "effect/Effect"
import { type CommandError, commandError } from "../CommandError.ts"
import type { MountConfig } from "../config/DaemonConfig.ts"
import type { Trial } from "../worker/messages.ts"
import type { Connection } from "./Connection.ts"
import { causeOf, startWorker, type WorkerProcess } from "./workerProcess.ts"

/** Fails with what is wrong when `worker` could not serve; it has ended then, or is to be ended. */
export const tryWorker = (worker: WorkerProcess, config: MountConfig, how: Trial): Effect.Effect<void, CommandError> =>
  Effect.flatMap(
    Effect.promise(() => worker.ready.then(() => worker.tries(how))),
    (exit) => (exit === undefined ? Effect.void : Effect.fail(commandError(`${config.name}: ${causeOf(exit)}`)))
  ).pipe(
    patientTimeoutOrElse({
      duration: config.startTimeout,
      orElse: () =>
        Effect.fail(
          commandError(
            `${config.name}: the new code was not ready to serve within ${config.startTimeout / 1000} s (start_timeout); what serves now goes on`
          )
        )
    })
  )

/** Has a process of its own try `config`, and end. `using`: the connection that is mounted now, which may cover what it serves. */
export const rehearse = (
  config: MountConfig,
  compiled: string,
  how: Trial,
  using: Connection | undefined
): Effect.Effect<void, CommandError> =>
  Effect.acquireUseRelease(
    Effect.sync(() => startWorker(config, using, compiled)),
    (worker) => tryWorker(worker, config, how),
    (worker) =>
      Effect.andThen(
        Effect.sync(worker.kill),
        Effect.promise(() => worker.exited)
      )
  )
