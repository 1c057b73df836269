/** One mount of the daemon: its connection, and its worker, supervised. */
import * as Supervisor from "@bickford/supervisor"
import { unmountDevice } from "@bickford/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { type CommandError, commandError } from "../CommandError.ts"
import type { MountConfig } from "../config/DaemonConfig.ts"
import type { MountState, MountStatus } from "../control/StatusReport.ts"
import type { FromWorker, WorkerNumbers } from "../worker/messages.ts"
import { abandonConnection, type Connection, openConnection, whyLost } from "./Connection.ts"
import type { ServiceManager } from "./serviceManager.ts"
import { makeBeats } from "./beats.ts"
import { rehearse, tryWorker } from "./rehearsal.ts"
import { causeOf, coveredBy, startWorker, type WorkerExit, type WorkerProcess } from "./workerProcess.ts"

/** What the keeper is told, and what the mounts share. */
export interface Surroundings {
  /** A folder for compiled code. */
  readonly compiled: string
  /** Bounds how many workers load their code at once. */
  readonly loading: Semaphore.Semaphore
  /** The connection or the worker is another one. */
  readonly changed: () => void
  /** Who holds devices while this process is away. */
  readonly manager: ServiceManager
}

export interface KeptMount {
  readonly config: MountConfig
  readonly status: () => MountStatus
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
}

interface Death {
  readonly _tag: "Death"
  readonly message: string
}

interface Supervised {
  readonly supervisor: Supervisor.Supervisor
  readonly ended: Effect.Effect<void>
}

const historyLimit = 20
/** How long a worker may take to load its code, and from reading to INIT's answer. */
const startTimeout = 60_000
/** How long a worker may take to drain and exit. */
const drainTimeout = 5000
/** How long a busy mount may stay when it must go. */
const stopTimeout = 5000

const nothing: WorkerNumbers = { inFlight: 0, requests: 0, errors: 0, bytesRead: 0, bytesWritten: 0, operations: {} }

const seconds = (milliseconds: number): string => `${milliseconds / 1000} s`

/** Begins to keep a mount. It runs until `stop`, an unmount, or restarts past the intensity. */
export const keepMount = Effect.fnUntraced(function*(config: MountConfig, { changed, compiled, loading, manager }: Surroundings, adopted?: Connection) {
  let connection = adopted
  let worker: WorkerProcess | undefined
  let replacement: WorkerProcess | undefined
  let state: MountState = "starting"
  let since = Date.now()
  let mountedAt = adopted?.mountedAt ?? since
  let restarts = 0
  let lastCause: string | undefined
  let history: Array<{ readonly at: number; readonly cause: string }> = []
  let numbers = nothing
  const beats = makeBeats()
  /** It ends for good, however its worker ends. */
  let ending = false
  const oneAtATime = (yield* Semaphore.make(1)).withPermits(1)
  const listeners = new Set<(line: string) => void>()
  const waiters = new Set<() => void>()

  const become = (next: MountState): void => {
    state = next
    for (const waiter of Array.from(waiters)) waiter()
  }

  const awaitState = (wanted: ReadonlyArray<MountState>): Effect.Effect<MountState> =>
    Effect.callback<MountState>((resume) => {
      const look = () => {
        if (!wanted.includes(state)) return
        waiters.delete(look)
        resume(Effect.succeed(state))
      }
      waiters.add(look)
      look()
      return Effect.sync(() => waiters.delete(look))
    })

  const note = (cause: string): void => {
    lastCause = cause
    history = [...history, { at: Date.now(), cause }].slice(-historyLimit)
  }

  const hear = (using: Connection) => (message: FromWorker): void => {
    beats.heard()
    switch (message.type) {
      case "reading":
        using.served = message.durable ? "durable" : "volatile"
        break
      case "negotiated":
        using.negotiated = message.record.negotiated
        changed()
        break
      case "serving":
        if (state === "starting") become("running")
        if (listeners.size > 0) worker?.send({ type: "log", on: true })
        break
      case "beat":
        numbers = message.numbers
        break
      case "line":
        for (const listener of listeners) listener(message.line)
    }
  }

  /** Has a worker that still runs leave what it does to the next, and waits for its end. */
  const dismiss = (leaving: WorkerProcess): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (worker === leaving && state === "running") become("draining")
      leaving.send({ type: "drain" })
      const exited = Effect.promise(() => leaving.exited)
      return exited.pipe(Supervisor.patientTimeoutOrElse({
        duration: drainTimeout,
        orElse: () => Effect.andThen(Effect.sync(leaving.kill), exited)
      }))
    })

  const spawn = (using: Connection): Effect.Effect<WorkerProcess, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const ready = replacement
        replacement = undefined
        return ready ?? startWorker(config, using, compiled)
      }),
      dismiss
    )

  /** Ends with what is wrong with a worker that still runs. */
  const examine: Effect.Effect<string> = Effect.raceFirst(
    Effect.as(beats.silence(config.heartbeat), `the worker did not answer for ${seconds(config.heartbeat)} and was killed`),
    Supervisor.patientSleep(startTimeout).pipe(
      Effect.andThen(Effect.suspend(() => state === "starting" ? Effect.void : Effect.never)),
      Effect.as(`the worker did not begin to serve within ${seconds(startTimeout)}`)
    )
  )

  const attendWorker = (serving: WorkerProcess): Effect.Effect<{ readonly exit: WorkerExit; readonly cause: string }> =>
    Effect.gen(function*() {
      const exited = Effect.promise(() => serving.exited)
      const first = yield* Effect.raceFirst(exited, examine)
      if (typeof first !== "string") return { exit: first, cause: causeOf(first) }
      serving.kill()
      return { exit: yield* exited, cause: first }
    })

  /** Gives up what the kernel still holds of a connection that nobody can go on with. */
  const abandon = Effect.suspend(() => {
    const lost = connection
    connection = undefined
    if (lost === undefined) return Effect.void
    return abandonConnection(lost).pipe(
      Effect.andThen(manager.forget(config.name)),
      Effect.andThen(Effect.sync(changed))
    )
  })

  /** Uninterruptible: what was mounted must be known, to be taken away again. */
  const open = Effect.uninterruptible(Effect.tap(openConnection(config), (opened) => {
    connection = opened
    mountedAt = opened.mountedAt
    return manager.store(config.name, opened.device.handle)
  }))

  /** One worker's life: succeeds when the mount is over, fails when another worker is needed. */
  const body = Effect.gen(function*() {
    become("starting")
    const opened = connection ?? (yield* open)
    numbers = nothing
    since = Date.now()
    const serving = yield* loading.withPermits(1)(Effect.gen(function*() {
      const started = yield* spawn(opened)
      worker = started
      changed()
      yield* Effect.promise(() => started.ready).pipe(Supervisor.patientTimeoutOption(startTimeout))
      return started
    }))
    beats.heard()
    serving.listen(hear(opened))
    const { id, negotiated } = opened
    serving.send({ type: "serve", mount: config, covered: coveredBy(opened), resume: { id, ...(negotiated === undefined ? {} : { negotiated }) } })
    const { cause, exit } = yield* attendWorker(serving)
    worker = undefined
    become("backoff")
    if (exit.ended === "unmounted" || ending) return
    const lost = exit.ended ?? whyLost(opened)
    if (lost !== undefined) yield* abandon
    if (opened.served === "volatile" && exit.ended === undefined && config.whenLost === "unmount") {
      note(`${cause}; ${lost}, so it was unmounted`)
      return
    }
    return yield* Effect.fail<Death>({ _tag: "Death", message: lost === undefined || exit.ended !== undefined ? cause : `${cause}; ${lost}: mounted anew` })
  }).pipe(
    Effect.tapError(({ message }) =>
      Effect.sync(() => {
        worker = undefined
        note(message)
        restarts++
        become("backoff")
      }))
  )

  const giveUp = (exit: Exit.Exit<void, unknown>): Effect.Effect<void> =>
    Effect.gen(function*() {
      yield* abandon
      worker = undefined
      if (Exit.isSuccess(exit)) return become("stopped")
      const { intensity, period } = config.restart
      // The last one was not done.
      restarts--
      lastCause = `more than ${intensity} restarts within ${seconds(period)}: unmounted. The last: ${lastCause ?? "unknown"}`
      yield* Effect.logError(`${config.name}: ${lastCause}`)
      become("failed")
    })

  const supervise = Effect.gen(function*() {
    become("starting")
    const scope = yield* Scope.make()
    const { backoff, intensity, period } = config.restart
    const supervisor = yield* Scope.provide(
      Supervisor.make(
        {
          id: config.name,
          strategy: "one_for_one",
          autoShutdown: "any_significant",
          maxRestarts: intensity,
          maxSeconds: period,
          backoff: { ...backoff, factor: 2, resetAfter: period }
        },
        [{ id: "worker", restart: "transient", significant: true, shutdown: "infinity", start: body }]
      ),
      scope
    )
    const ended = yield* Deferred.make<void>()
    yield* Effect.forkDetach(Effect.exit(supervisor.await).pipe(
      Effect.flatMap(giveUp),
      Effect.andThen(Scope.close(scope, Exit.void)),
      Effect.andThen(Deferred.succeed(ended, undefined))
    ))
    const supervised: Supervised = { supervisor, ended: Deferred.await(ended) }
    return supervised
  })

  let current: Supervised

  const running: KeptMount["running"] = Effect.flatMap(awaitState(["running", "failed", "stopped"]), (reached) =>
    reached === "running" ? Effect.void : Effect.fail(commandError(`${config.name}: ${lastCause ?? `is ${reached}`}`)))

  const unmount: KeptMount["unmount"] = Effect.fnUntraced(function*(options) {
    const mounted = connection
    if (mounted === undefined) {
      yield* current.supervisor.stop
      yield* current.ended
      return
    }
    // Nobody would answer what an unmount asks.
    if (worker === undefined) yield* current.supervisor.stop
    else {
      yield* Effect.mapError(unmountDevice(mounted.device, options), (error) =>
        commandError(error.code === "EBUSY" ? `${config.mountpoint} is busy; --lazy detaches it all the same` : error.message))
    }
    if (!options.lazy) yield* current.ended
  })

  const stop = Effect.gen(function*() {
    ending = true
    yield* unmount({ lazy: false }).pipe(
      Effect.catch(() => unmount({ lazy: true })),
      Effect.andThen(current.ended),
      Supervisor.patientTimeoutOrElse({
        duration: stopTimeout,
        orElse: () => abandon
      }),
      Effect.ignore
    )
    yield* current.supervisor.stop
    yield* current.ended
  })

  const replace = Effect.fnUntraced(function*(using: Connection) {
    const next = startWorker(config, using, compiled)
    const tried = tryWorker(next, config, "load").pipe(
      Effect.andThen(Effect.suspend(() =>
        connection === using ? Effect.void : Effect.fail(commandError(`${config.name}: was unmounted meanwhile`))))
    )
    yield* Effect.onError(tried, () => dismiss(next))
    replacement = next
    yield* Effect.onError(
      Effect.andThen(current.supervisor.terminateChild("worker"), current.supervisor.restartChild("worker")),
      () => {
        replacement = undefined
        return dismiss(next)
      }
    )
  })

  const restart = Effect.gen(function*() {
    const using = connection
    if (using !== undefined && whyLost(using) === undefined) yield* Effect.catchTag(replace(using), "ChildError", (error) => Effect.fail(commandError(`${config.name}: ${error.message}`)))
    else {
      // What is not durable goes with its mount: not for code that could not take its place.
      if (using !== undefined) {
        yield* rehearse(config, compiled, "open", using)
        yield* unmount({ lazy: false })
      }
      current = yield* Effect.orDie(supervise)
    }
    yield* running
  })

  const kept: KeptMount = {
    config,
    connection: () => connection,
    running,
    restart: oneAtATime(restart),
    unmount: (options) => oneAtATime(unmount(options)),
    stop,
    status: () => ({
      name: config.name,
      source: config.source,
      mountpoint: config.mountpoint,
      state,
      ...(worker?.pid === undefined ? {} : { pid: worker.pid }),
      since,
      mountedAt,
      restarts,
      ...(lastCause === undefined ? {} : { lastCause }),
      history,
      ...numbers
    }),
    watch: (listener) => {
      listeners.add(listener)
      if (listeners.size === 1) worker?.send({ type: "log", on: true })
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) worker?.send({ type: "log", on: false })
      }
    }
  }
  current = yield* Effect.orDie(supervise)
  return kept
})
