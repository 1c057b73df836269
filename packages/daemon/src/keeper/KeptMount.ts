/** One mount of the daemon: its connection, and its worker, supervised. */
import * as Supervisor from "@bickford/supervisor"
import { unmountDevice } from "@bickford/transport"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { type CommandError, commandError } from "../CommandError.ts"
import type { MountConfig } from "../config/DaemonConfig.ts"
import type { MountStatus } from "../control/StatusReport.ts"
import { withPercentiles } from "../metrics/percentiles.ts"
import { shownSource } from "../sources/index.ts"
import type { MountNumbers } from "../metrics/numbers.ts"
import { makeBeats } from "./beats.ts"
import type { CallWatcher } from "./callWatcher.ts"
import { type Connection, whyLost } from "./Connection.ts"
import { makeMountProgress } from "./MountProgress.ts"
import { rehearse, tryWorker } from "./rehearsal.ts"
import { type SlowCalls, SlowCallTable } from "./SlowCallTable.ts"
import type { KernelNotice, ToWorker } from "../worker/messages.ts"
import { watchTree } from "../worker/watchTree.ts"
import { TreeLog, type TreeStatus } from "./TreeLog.ts"
import { abandon, dismiss, type KeeperServices, type Keeping, workerLife } from "./workerLife.ts"

export interface KeptMount {
  readonly config: MountConfig
  readonly status: () => MountStatus
  /** Kills its worker with SIGKILL, and leaves the rest to the supervisor. */
  readonly kill: Effect.Effect<void, CommandError>
  /** What its workers have counted. */
  readonly counted: () => MountNumbers
  readonly connection: () => Connection | undefined
  /** Waits until calls are answered; fails when the mount ends before. */
  readonly running: Effect.Effect<void, CommandError>
  /** Replaces the worker; succeeds when the new one serves. */
  readonly restart: Effect.Effect<void, CommandError>
  /** Unmounts while it is served; fails when it is busy, unless `lazy`. */
  readonly unmount: (options: { readonly lazy: boolean }) => Effect.Effect<void, CommandError>
  /** Unmounts, whatever it takes, and waits for the worker's end. */
  readonly stop: Effect.Effect<void>
  /** Calls back with the wire log's lines until the function returned is called. */
  readonly watch: (listener: (line: string) => void) => () => void
  /** Has a watcher told of calls until the function returned is called. */
  readonly watchCalls: (watcher: CallWatcher) => () => void
  /** Its slow calls, whose paths and programs are their callers' own. */
  readonly slowCalls: () => SlowCalls
  /** Its supervisors and their children; undefined before the first has started. */
  readonly tree: () => TreeStatus | undefined
  /** Kills a child of the worker's session, and leaves the rest to its supervisor. */
  readonly killChild: (child: string) => Effect.Effect<void, CommandError>
  /** Stops a child of the worker's session in order, and has it started again. */
  readonly restartChild: (child: string) => Effect.Effect<void, CommandError>
  /** Interrupts a call by its `unique`, as a signal to its caller would. */
  readonly interrupt: (unique: string) => Effect.Effect<void, CommandError>
  /** Has the kernel drop what nobody uses, or look every name up again; fails where the kernel is too old for it. */
  readonly tellKernel: (what: KernelNotice) => Effect.Effect<void, CommandError>
}

interface Supervised {
  readonly supervisor: Supervisor.Supervisor
  readonly ended: Effect.Effect<void>
}

/** How long a busy mount may stay when it must go (milliseconds). */
const stopTimeout = 5000

/** The mount is over: its worker's supervisor has ended. */
const conclude = Effect.fnUntraced(function* (keeping: Keeping, exit: Exit.Exit<void, unknown>) {
  const { config, progress } = keeping
  yield* abandon(keeping)
  keeping.worker = undefined
  if (Exit.isSuccess(exit)) return progress.happened("unmounted")
  const { intensity, period } = config.restart
  const cause = `more than ${intensity} restarts within ${period / 1000} s: unmounted. The last: ${progress.lastCause() ?? "unknown"}`
  yield* Effect.logError(cause)
  progress.gaveUp(cause)
})

/** Starts the supervisor of a mount's worker. */
const startSupervisor = Effect.fnUntraced(function* (keeping: Keeping) {
  keeping.progress.happened("begin")
  const scope = yield* Scope.make()
  const {
    name,
    restart: { backoff, intensity, period }
  } = keeping.config
  const supervisor = yield* Scope.provide(
    Supervisor.make(
      {
        id: name,
        strategy: "one_for_one",
        autoShutdown: "any_significant",
        maxRestarts: intensity,
        maxSeconds: period,
        backoff: { ...backoff, factor: 2, resetAfter: period }
      },
      [{ id: "worker", restart: "transient", significant: true, shutdown: "infinity", start: workerLife(keeping) }]
    ),
    scope
  )
  yield* Scope.provide(
    watchTree(supervisor, {
      tree: (tree) => keeping.treeLog.own(tree),
      event: (event) => keeping.treeLog.happened(event)
    }),
    scope
  )
  const ended = yield* Deferred.make<void>()
  yield* Effect.forkDetach(
    Effect.exit(supervisor.await).pipe(
      Effect.flatMap((exit) => conclude(keeping, exit)),
      Effect.andThen(Scope.close(scope, Exit.void)),
      Effect.andThen(Deferred.succeed(ended, undefined))
    )
  )
  const supervised: Supervised = { supervisor, ended: Deferred.await(ended) }
  return supervised
}, Effect.orDie)

/** As above; what is logged of the mount says which it is. */
const supervise = (keeping: Keeping): Effect.Effect<Supervised> =>
  Effect.annotateLogs(startSupervisor(keeping), "mount", keeping.config.name)

const unmount = Effect.fnUntraced(function* (
  keeping: Keeping,
  { ended, supervisor }: Supervised,
  options: { readonly lazy: boolean }
) {
  const {
    config: { mountpoint },
    connection,
    worker
  } = keeping
  if (connection === undefined) {
    yield* supervisor.stop
    yield* ended
    return
  }
  // Nobody would answer what an unmount asks.
  if (worker === undefined) yield* supervisor.stop
  else {
    yield* Effect.mapError(unmountDevice(connection.device, options), (error) =>
      commandError(error.code === "EBUSY" ? `${mountpoint} is busy; --lazy detaches it all the same` : error.message)
    )
  }
  if (!options.lazy) yield* ended
})

const stop = Effect.fnUntraced(function* (keeping: Keeping, supervised: Supervised) {
  const { ended, supervisor } = supervised
  keeping.ending = true
  yield* unmount(keeping, supervised, { lazy: false }).pipe(
    Effect.catch(() => unmount(keeping, supervised, { lazy: true })),
    Effect.andThen(ended),
    Supervisor.patientTimeoutOrElse({ duration: stopTimeout, orElse: () => abandon(keeping) }),
    Effect.ignore
  )
  yield* supervisor.stop
  yield* ended
})

/** Has a worker with new code take over the connection; the worker of now stays when the new code cannot be loaded. */
const replace = Effect.fnUntraced(function* (keeping: Keeping, { supervisor }: Supervised, using: Connection) {
  const {
    config,
    services: { compiled, startWorker }
  } = keeping
  const next = startWorker(config, using, compiled)
  const tried = tryWorker(next, config, "load").pipe(
    Effect.andThen(
      Effect.suspend(() =>
        keeping.connection === using
          ? Effect.void
          : Effect.fail(commandError(`${config.name}: was unmounted meanwhile`))
      )
    )
  )
  yield* Effect.onError(tried, () => dismiss(keeping, next))
  keeping.replacement = next
  yield* supervisor.terminateChild("worker").pipe(
    Effect.andThen(supervisor.restartChild("worker")),
    Effect.onError(() => {
      keeping.replacement = undefined
      return dismiss(keeping, next)
    }),
    Effect.catchTag("ChildError", (error) => Effect.fail(commandError(`${config.name}: ${error.message}`)))
  )
})

/** Replaces the worker, and returns the supervisor that serves afterwards. */
const restart = Effect.fnUntraced(function* (keeping: Keeping, supervised: Supervised) {
  const {
    config,
    connection: using,
    services: { compiled }
  } = keeping
  if (using !== undefined && whyLost(using) === undefined) {
    yield* replace(keeping, supervised, using)
    return supervised
  }
  // What is not durable goes with its mount: not for code that could not take its place.
  if (using !== undefined) {
    yield* rehearse(config, compiled, "open", using)
    yield* unmount(keeping, supervised, { lazy: false })
  }
  return yield* supervise(keeping)
})

const statusOf = ({ config: { mountpoint, name, source }, mountedAt, progress, worker }: Keeping): MountStatus => {
  const report = progress.report()
  return {
    name,
    source: shownSource(source),
    mountpoint,
    ...(worker?.pid === undefined ? {} : { pid: worker.pid }),
    mountedAt,
    ...report,
    operations: withPercentiles(report.operations)
  }
}

/** Adds a reader of the wire log, which the worker writes while there is one; returns what removes it. */
const watch = (keeping: Keeping, listener: (line: string) => void): (() => void) => {
  const { listeners } = keeping
  listeners.add(listener)
  if (listeners.size === 1) keeping.worker?.send({ type: "log", on: true })
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) keeping.worker?.send({ type: "log", on: false })
  }
}

/** The tree, with what its supervisor allows. */
const treeOf = ({ config: { restart }, progress, treeLog }: Keeping, now: number): TreeStatus | undefined => {
  const known = treeLog.report()
  if (known === undefined) return undefined
  const used = progress.report().history.filter(({ at }) => now - at < restart.period).length
  return { ...known, budget: { used, most: restart.intensity, seconds: restart.period / 1000 } }
}

/** Asks something of the worker, which does not answer. */
const tellWorker = ({ config, worker }: Keeping, message: ToWorker): Effect.Effect<void, CommandError> =>
  Effect.suspend(() => {
    if (worker === undefined) return Effect.fail(commandError(`${config.name}: has no worker now`))
    worker.send(message)
    return Effect.void
  })

/** The minor of the protocol that first had a notice, and the kernel that did. */
const since: { readonly [What in KernelNotice]: readonly [minor: number, kernel: string] } = {
  epoch: [44, "Linux 6.17"],
  prune: [45, "Linux 6.18"]
}

const tellKernel = (keeping: Keeping, what: KernelNotice): Effect.Effect<void, CommandError> =>
  Effect.suspend(() => {
    const [least, kernel] = since[what]
    const minor = keeping.connection?.negotiated?.minor ?? 0
    return minor < least
      ? Effect.fail(
          commandError(`${keeping.config.name}: ${what} needs FUSE 7.${least} (${kernel}); this is 7.${minor}`)
        )
      : tellWorker(keeping, { type: "tellKernel", what })
  })

let lastWatcher = 0

/** Has the worker of now, and those after it, tell a watcher of calls; returns what ends that. */
const watchCalls = (keeping: Keeping, watcher: CallWatcher): (() => void) => {
  const number = ++lastWatcher
  keeping.watchers.set(number, watcher)
  keeping.worker?.send({ type: "watch", watcher: number, filter: watcher.filter })
  return () => {
    keeping.watchers.delete(number)
    keeping.worker?.send({ type: "watch", watcher: number })
  }
}

/** Begins to keep a mount. It runs until `stop`, an unmount, or restarts past the intensity. */
export const keepMount = Effect.fnUntraced(function* (
  config: MountConfig,
  services: KeeperServices,
  adopted?: Connection
) {
  const clock = yield* Clock.Clock
  const progress = yield* makeMountProgress
  const oneAtATime = (yield* Semaphore.make(1)).withPermits(1)
  const keeping: Keeping = {
    config,
    services,
    progress,
    beats: makeBeats(),
    listeners: new Set(),
    watchers: new Map(),
    treeLog: new TreeLog(),
    slowCalls: new SlowCallTable(() => clock.currentTimeMillisUnsafe()),
    connection: adopted,
    mountedAt: adopted?.mountedAt ?? progress.report().since,
    worker: undefined,
    replacement: undefined,
    ending: false
  }
  let current = yield* supervise(keeping)

  const running = Effect.flatMap(progress.awaitState(["running", "failed", "stopped"]), (reached) =>
    reached === "running"
      ? Effect.void
      : Effect.fail(commandError(`${config.name}: ${progress.lastCause() ?? `is ${reached}`}`))
  )

  const kept: KeptMount = {
    config,
    connection: () => keeping.connection,
    running,
    restart: Effect.gen(function* () {
      current = yield* restart(keeping, current)
      yield* running
    }).pipe(oneAtATime),
    unmount: (options) => oneAtATime(Effect.suspend(() => unmount(keeping, current, options))),
    stop: Effect.suspend(() => stop(keeping, current)),
    status: () => statusOf(keeping),
    counted: progress.report,
    kill: Effect.suspend(() => {
      if (keeping.worker === undefined) return Effect.fail(commandError(`${config.name}: has no worker now`))
      keeping.worker.kill()
      return Effect.void
    }),
    watch: (listener) => watch(keeping, listener),
    watchCalls: (watcher) => watchCalls(keeping, watcher),
    slowCalls: () => keeping.slowCalls.report(),
    tree: () => treeOf(keeping, clock.currentTimeMillisUnsafe()),
    killChild: (child) => tellWorker(keeping, { type: "killChild", child }),
    restartChild: (child) => tellWorker(keeping, { type: "restartChild", child }),
    interrupt: (unique) => tellWorker(keeping, { type: "interrupt", unique }),
    tellKernel: (what) => tellKernel(keeping, what)
  }
  return kept
})
