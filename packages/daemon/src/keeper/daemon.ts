/** `bickford daemon`: the keeper, its control socket, and its signals. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { type CommandError, commandError } from "../CommandError.ts"
import type { DaemonConfig, OtlpConfig } from "../config/DaemonConfig.ts"
import { makeRuntimeDirectory } from "./privateDirectory.ts"
import { socketIn } from "../control/runtimeDirectory.ts"
import { serveControl } from "../control/server.ts"
import type { StatusReport } from "../control/StatusReport.ts"
import { ignoreStrayedSignals } from "../strayedSignals.ts"
import type { Telemetry } from "../telemetry/exporter.ts"
import { makeKeeper } from "./Keeper.ts"

export interface DaemonProgram {
  readonly version: string
  /** As it is at the start. */
  readonly config: DaemonConfig
  /** Reads the configuration again, when it may have changed. */
  readonly load: Effect.Effect<DaemonConfig, CommandError>
  readonly metrics: (report: StatusReport) => string
}

/** What outlives a boot is kept where systemd says (StateDirectory=, the first of them). */
const stateDirectory = ({ STATE_DIRECTORY }: NodeJS.ProcessEnv, runtimeDirectory: string): string =>
  STATE_DIRECTORY?.split(":")[0] || runtimeDirectory

const signalled = (signals: ReadonlyArray<NodeJS.Signals>): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    // The handlers stay, so that a second, impatient signal does not kill what is about to unmount.
    for (const signal of signals) process.on(signal, () => resume(Effect.void))
  })

/** Calls `onHangup` at every SIGHUP. */
const hangups = (onHangup: () => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => process.on("SIGHUP", onHangup)),
      () => Effect.sync(() => process.off("SIGHUP", onHangup))
    )
  )

/** Loaded when it is asked for: a daemon without a collector stays small. */
const startTelemetry = Effect.fnUntraced(function* (otlp: OtlpConfig, report: () => StatusReport) {
  const { exportTelemetry } = yield* Effect.promise(() => import("../telemetry/exporter.ts"))
  return yield* exportTelemetry(otlp, report)
})

/** Keeps the mounts until SIGTERM or SIGINT, then unmounts them while they are still served. */
export const runDaemon = Effect.fnUntraced(function* ({ config, load, metrics, version }: DaemonProgram) {
  // Who read what it says may be gone; that is no reason to end.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})
  const { otlp, port, runtimeDirectory } = config
  yield* makeRuntimeDirectory(runtimeDirectory)
  const stop = yield* Effect.forkScoped(signalled(["SIGTERM", "SIGINT"]), { startImmediately: true })
  let telemetry: Telemetry | undefined
  const keeper = yield* makeKeeper(config, version, process.env, (mount, call) => telemetry?.slowCall(mount, call))
  if (otlp !== undefined) telemetry = yield* startTelemetry(otlp, keeper.report)
  const reload = Effect.flatMap(load, (next) =>
    next.runtimeDirectory === runtimeDirectory && next.port === port && isDeepStrictEqual(next.otlp, otlp)
      ? keeper.apply(next)
      : Effect.fail(commandError("runtime_directory, port and otlp change only when the daemon is started anew"))
  )
  const run = Effect.runForkWith(yield* Effect.context<never>())
  yield* hangups(() => {
    run(
      Effect.matchEffect(reload, {
        onFailure: ({ message }) => Effect.logError(`reload: ${message}`),
        onSuccess: ({ started, stopped, unchanged }) =>
          Effect.logInfo(
            `reload: ${started.length} started (${started.join(", ")}), ${stopped.length} stopped (${stopped.join(", ")}), ${unchanged.length} left as they are`
          )
      })
    )
  })
  ignoreStrayedSignals((signal) => void run(Effect.logWarning(`${signal} means nothing to the daemon and is ignored`)))
  const restore = Effect.andThen(makeRuntimeDirectory(runtimeDirectory), Effect.sync(keeper.saveState))
  yield* serveControl(socketIn(runtimeDirectory), port, {
    keeper,
    reload,
    metrics,
    restore,
    historyDirectory: join(stateDirectory(process.env, runtimeDirectory), "history")
  })
  const summary = Effect.sync(() => {
    const states = keeper.mounts().map((mount) => mount.status().state)
    return `${states.filter((state) => state === "running").length} of ${states.length} mounts are served`
  })
  yield* Effect.forkScoped(
    Effect.gen(function* () {
      yield* Effect.forEach(keeper.mounts(), (mount) => Effect.exit(mount.running), {
        concurrency: "unbounded",
        discard: true
      })
      yield* Console.log(yield* summary)
      yield* keeper.manager.notify(`READY=1\nSTATUS=${yield* summary}`)
      yield* Effect.repeat(
        Effect.flatMap(summary, (text) => keeper.manager.notify(`STATUS=${text}`)),
        Schedule.spaced("10 seconds")
      )
    })
  )
  yield* Fiber.await(stop)
  yield* keeper.manager.notify("STOPPING=1\nSTATUS=unmounting")
}, Effect.scoped)
