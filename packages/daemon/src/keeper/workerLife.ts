/** One worker's life in the service of a mount: started, fed, watched, and waited for. */
import * as Supervisor from "@bickford/supervisor"
import { isMounted } from "@bickford/transport"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Semaphore from "effect/Semaphore"
import type { CommandError } from "../CommandError.ts"
import type { MountConfig } from "../config/DaemonConfig.ts"
import type { FromWorker, SlowCall } from "../worker/messages.ts"
import type { Beats } from "./beats.ts"
import { type CallWatcher, missedLine } from "./callWatcher.ts"
import { type Connection, whyLost } from "./Connection.ts"
import type { MountProgress } from "./MountProgress.ts"
import type { ServiceManager } from "./serviceManager.ts"
import type { SlowCallTable } from "./SlowCallTable.ts"
import type { TreeLog } from "./TreeLog.ts"
import { causeOf, coveredBy, type startWorker, type WorkerExit, type WorkerProcess } from "./workerProcess.ts"

/** What the mounts of a keeper share. */
export interface KeeperServices {
  /** The directory for compiled code. */
  readonly compiled: string
  /** Bounds how many workers load their code at once. */
  readonly loading: Semaphore.Semaphore
  /** Is called when a mount has another connection or another worker. */
  readonly changed: () => void
  /** Holds the devices while this process is away. */
  readonly manager: ServiceManager
  /** Is told of each slow call of a mount. */
  readonly slowCall: (mount: string, call: SlowCall) => void
  readonly startWorker: typeof startWorker
  /** Mounts; see `Connection.ts`. */
  readonly openConnection: (config: MountConfig) => Effect.Effect<Connection, { readonly message: string }>
  /** Aborts and unmounts; see `Connection.ts`. */
  readonly abandonConnection: (connection: Connection) => Effect.Effect<void>
}

/** A kept mount's fields, shared by the files that keep it. */
export interface Keeping {
  readonly config: MountConfig
  readonly services: KeeperServices
  readonly progress: MountProgress
  readonly beats: Beats
  /** Readers of the wire log. */
  readonly listeners: Set<(line: string) => void>
  /** Those that watch calls, by their numbers. */
  readonly watchers: Map<number, CallWatcher>
  readonly slowCalls: SlowCallTable
  readonly treeLog: TreeLog
  connection: Connection | undefined
  mountedAt: number
  worker: WorkerProcess | undefined
  /** A worker with new code that has loaded it, and takes the place of the one that is told to leave. */
  replacement: WorkerProcess | undefined
  /** The mount ends for good, however its worker ends. */
  ending: boolean
}

export class WorkerDeath extends Data.TaggedError("WorkerDeath")<{ readonly message: string }> {}

/** How long a worker may take to drain and exit (milliseconds). */
const drainTimeout = 5000

const seconds = (milliseconds: number): string => `${milliseconds / 1000} s`

const receive =
  (keeping: Keeping, using: Connection) =>
  (message: FromWorker): void => {
    const { beats, listeners, progress, services, slowCalls, treeLog, watchers, worker } = keeping
    beats.heard()
    switch (message.type) {
      case "reading":
        using.served = message.durable ? "durable" : "volatile"
        break
      case "negotiated":
        using.negotiated = message.record.negotiated
        services.changed()
        break
      case "serving":
        progress.happened("serving")
        if (listeners.size > 0) worker?.send({ type: "log", on: true })
        for (const [watcher, { filter }] of watchers) worker?.send({ type: "watch", watcher, filter })
        break
      case "beat":
        progress.counted(message.numbers)
        break
      case "line":
        for (const listener of listeners) listener(message.line)
        break
      case "call":
        watchers.get(message.watcher)?.listener(message.line)
        break
      case "missed":
        watchers.get(message.watcher)?.listener(missedLine(message.count))
        break
      case "slow":
        slowCalls.add(message.call)
        services.slowCall(keeping.config.name, message.call)
        break
      case "stuck":
        slowCalls.wait(message.calls)
        break
      case "tree":
        treeLog.session(message.tree)
        break
      case "treeEvent":
        treeLog.happened(message.event, ["worker", "session"])
    }
  }

/** Tells a worker to leave what it does to the next one, and waits for its end; kills it when that takes too long. */
export const dismiss = (keeping: Keeping, leaving: WorkerProcess): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (keeping.worker === leaving) keeping.progress.happened("drain")
    leaving.send({ type: "drain" })
    const exited = Effect.promise(() => leaving.exited)
    return exited.pipe(
      Supervisor.patientTimeoutOrElse({
        duration: drainTimeout,
        orElse: () => Effect.andThen(Effect.sync(leaving.kill), exited)
      })
    )
  })

const spawn = (keeping: Keeping, using: Connection): Effect.Effect<WorkerProcess, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const ready = keeping.replacement
      keeping.replacement = undefined
      return ready ?? keeping.services.startWorker(keeping.config, using, keeping.services.compiled)
    }),
    (worker) => dismiss(keeping, worker)
  )

/** Starts a worker, or takes the replacement, and waits until its code is loaded. */
const load = (keeping: Keeping, using: Connection): Effect.Effect<WorkerProcess, never, Scope.Scope> =>
  Effect.gen(function* () {
    const started = yield* spawn(keeping, using)
    keeping.worker = started
    keeping.services.changed()
    yield* Effect.promise(() => started.ready).pipe(Supervisor.patientTimeoutOption(keeping.config.startTimeout))
    return started
  }).pipe(keeping.services.loading.withPermits(1))

/** Ends with what is wrong with a worker that still runs. */
const examine = ({ beats, config: { heartbeat, startTimeout }, progress }: Keeping): Effect.Effect<string> =>
  Effect.raceFirst(
    Effect.as(beats.silence(heartbeat), `the worker did not answer for ${seconds(heartbeat)} and was killed`),
    Supervisor.patientSleep(startTimeout).pipe(
      Effect.andThen(Effect.suspend(() => (progress.state() === "starting" ? Effect.void : Effect.never))),
      Effect.as(`the worker did not begin to serve within ${seconds(startTimeout)}`)
    )
  )

/** The kernel tells of an abort as of an unmount (ENODEV) when nobody wrote to fusectl: then the mount is still there. */
const trueExit = (exit: WorkerExit, { device }: Connection): WorkerExit =>
  exit.ended === "unmounted" && isMounted(device) ? { ...exit, ended: "aborted" } : exit

/** Waits for the end of a worker that serves, and kills it when something is wrong with it. */
const attend = Effect.fnUntraced(function* (keeping: Keeping, serving: WorkerProcess, opened: Connection) {
  const exited = Effect.map(
    Effect.promise(() => serving.exited),
    (exit) => trueExit(exit, opened)
  )
  const first = yield* Effect.raceFirst(exited, examine(keeping))
  if (typeof first !== "string") return { exit: first, cause: causeOf(first) }
  serving.kill()
  return { exit: yield* exited, cause: first }
})

/** Gives up what the kernel still holds of a connection that no worker can go on with. */
export const abandon = (keeping: Keeping): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { config, connection: lost, services } = keeping
    keeping.connection = undefined
    if (lost === undefined) return Effect.void
    return services
      .abandonConnection(lost)
      .pipe(Effect.andThen(services.manager.forget(config.name)), Effect.andThen(Effect.sync(services.changed)))
  })

/** Uninterruptible: what was mounted must be known, to be taken away again. */
const open = (keeping: Keeping) =>
  Effect.uninterruptible(
    Effect.tap(keeping.services.openConnection(keeping.config), (opened) => {
      keeping.connection = opened
      keeping.mountedAt = opened.mountedAt
      return keeping.services.manager.store(keeping.config.name, opened.device.handle)
    })
  )

/** Succeeds when a worker's end is the mount's end, and fails when another worker is needed. */
const afterwards = Effect.fnUntraced(function* (keeping: Keeping, opened: Connection, exit: WorkerExit, cause: string) {
  if (exit.ended === "unmounted" || keeping.ending) return
  const lost = exit.ended ?? whyLost(opened)
  if (lost !== undefined) yield* abandon(keeping)
  if (opened.served === "volatile" && exit.ended === undefined && keeping.config.whenLost === "unmount") {
    return keeping.progress.endedBecause(`${cause}; ${lost}, so it was unmounted`)
  }
  const message = lost === undefined || exit.ended !== undefined ? cause : `${cause}; ${lost}: mounted anew`
  return yield* Effect.fail(new WorkerDeath({ message }))
})

/** What a worker told of itself is over with it. */
const forgetWorker = (keeping: Keeping): void => {
  keeping.worker = undefined
  keeping.slowCalls.wait([])
  keeping.treeLog.session(undefined)
}

/** One worker's life: succeeds when the mount is over, and fails when another worker is needed. */
export const workerLife = (
  keeping: Keeping
): Effect.Effect<void, CommandError | WorkerDeath | { readonly message: string }, Scope.Scope> =>
  Effect.gen(function* () {
    const { beats, config, progress } = keeping
    progress.happened("begin")
    const opened = keeping.connection ?? (yield* open(keeping))
    progress.workerStarted()
    const serving = yield* load(keeping, opened)
    beats.heard()
    serving.listen(receive(keeping, opened))
    const { id, negotiated } = opened
    const resume = { id, ...(negotiated === undefined ? {} : { negotiated }) }
    serving.send({ type: "serve", mount: config, covered: coveredBy(opened), resume })
    const { cause, exit } = yield* attend(keeping, serving, opened)
    forgetWorker(keeping)
    progress.happened("workerEnded")
    yield* afterwards(keeping, opened, exit, cause)
  }).pipe(
    Effect.tapError(({ message }) =>
      Effect.sync(() => {
        forgetWorker(keeping)
        keeping.progress.died(message)
      })
    )
  )
