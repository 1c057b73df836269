/** The children of a session's supervisor, in the order in which they depend on each other. */
import * as Supervisor from "@bickford/supervisor"
import type { Slot } from "@bickford/transport"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { errnoNumbers, type Negotiated } from "@bickford/protocol"
import type { OpcodeRow } from "@bickford/protocol/codec"
import type { AsyncBackend } from "./Backend.ts"
import { backendFault } from "./backendFault.ts"
import {
  attachDispatcher,
  backendConnection,
  type Connection,
  connectionSink,
  setBackend
} from "./connection/Connection.ts"
import { logDiagnostics } from "./Diagnostics.ts"
import type { Deadline } from "./dispatcher/deadline.ts"
import { makeDispatcher } from "./dispatcher/Dispatcher.ts"
import { makeGuard } from "./dispatcher/guard.ts"
import { wrongInterruptible } from "./dispatcher/interruptible.ts"
import { effectOf } from "./dispatcher/promises.ts"
import { stopInFlight } from "./dispatcher/stopInFlight.ts"
import { gatekeeper } from "./gatekeeper.ts"
import { answerAgain, handshake } from "./handshake.ts"
import { InsideOperation } from "./notify/Notifier.ts"
import type { BackendSource, SessionOptions } from "./SessionOptions.ts"

type Child = Supervisor.ChildSpec<unknown, never>

const acquire = (source: BackendSource): Effect.Effect<AsyncBackend, unknown, Scope.Scope> =>
  Effect.isEffect(source) ? source : Effect.succeed(source)

/** `destroy`, once in the life of a connection; a defect in it is logged, the end goes on. */
const destroy = (connection: Connection): Effect.Effect<void> =>
  Effect.flatMap(Effect.context<never>(), (context) => {
    const backend = connection.backend
    if (connection.destroyed || backend === undefined) return Effect.void
    connection.destroyed = true
    const guard = makeGuard(connection.counters, logDiagnostics(context))
    // An unmount sends no forgets, and not every release, but the kernel holds nothing any more.
    for (const [nodeid, count] of Array.from(connection.handles.entries())) connection.handles.forget(nodeid, count)
    for (const [nodeid, count] of Array.from(connection.nodes.entries())) {
      if (connection.nodes.forget(nodeid, count)) guard("forget", () => backend.forget?.(nodeid, count, 0))
    }
    const last = Effect.suspend(() => effectOf(backend.destroy?.() ?? Effect.void))
    return Effect.catchCause(last, (cause) => Effect.logError("the backend's destroy failed", cause))
  })

/** The limit of an opcode's operation. */
const deadlineOf = (limits: SessionOptions["deadline"]): ((row: OpcodeRow) => Deadline | undefined) => {
  if (limits === undefined) return () => undefined
  if ("after" in limits) return () => limits
  const byOperation = new Map<string, Deadline>(Object.entries(limits))
  return (row) => byOperation.get(row.op)
}

const takeInit = (connection: Connection): Effect.Effect<Slot> =>
  Effect.callback<Slot>((resume) => {
    const parked = connection.parkedInit
    if (parked !== undefined) {
      connection.parkedInit = undefined
      resume(Effect.succeed(parked))
      return
    }
    connection.onInit = (slot) => resume(Effect.succeed(slot))
    return Effect.sync(() => {
      connection.onInit = undefined
    })
  })

/** Owns the backend's scope: its pools, its files, its own fiber. */
const backendChild = (connection: Connection, source: BackendSource): Child => ({
  id: "backend",
  init: Effect.gen(function* () {
    // Interruptible: a source that waits for its database must not hold up the end of the mount.
    const instance = yield* acquire(source)
    yield* Effect.addFinalizer(() =>
      Effect.andThen(
        stopInFlight(connection, "restart"),
        Effect.sync(() => setBackend(connection, undefined))
      )
    )
    const wrong = backendFault(instance) ?? wrongInterruptible(instance)
    if (wrong !== undefined) return yield* Effect.die(new TypeError(wrong))
    setBackend(connection, instance)
    const { backend, negotiated } = connection
    if (negotiated === undefined || backend?.init === undefined) return
    const guard = makeGuard(connection.counters, logDiagnostics(yield* Effect.context<never>()))
    yield* effectOf(backend.init(negotiated, backendConnection(connection, guard)) ?? Effect.void)
  }),
  start: Effect.suspend(() => connection.backend?.run ?? Effect.never)
})

/** Owns readiness and the read loop. */
const transportChild = (connection: Connection, options: SessionOptions): Child => ({
  id: "transport",
  // Before anything is read: a durable backend takes the first new request as the sign that it has seen
  // all that were delivered again.
  init: Effect.suspend(() => {
    if (options.resume === undefined || connection.resumed) return Effect.void
    connection.resumed = true
    // A kernel that is too old refuses; if INIT has been read, nothing will come.
    if (connection.negotiated === undefined) return Effect.ignore(connection.notifier.resend())
    return connection.negotiated.resend ? connection.notifier.resend() : Effect.void
  }),
  restart: "transient",
  significant: true,
  start: Effect.tap(connection.transport.run(connectionSink(connection)), (end) =>
    Effect.sync(() => {
      connection.ended = end
    })
  )
})

/** Gives the calls in flight their time once the connection has ended, and calls `destroy`. */
const endCalls = (connection: Connection, drain: Duration.Duration): Effect.Effect<void> =>
  Effect.suspend(() => {
    // Only the end of the connection ends the calls: a restart of the child leaves them running.
    if (connection.ended === undefined) return Effect.void
    const drained = Effect.callback<void>((resume) => {
      const cancel = connection.inFlight.whenEmpty(() => resume(Effect.void))
      return Effect.sync(cancel)
    })
    // An aborted connection has nobody left who waits for an answer.
    const patience = connection.ended === "aborted" ? Duration.zero : drain
    return drained.pipe(
      Supervisor.patientTimeoutOrElse({ duration: patience, orElse: () => stopInFlight(connection, "shutdown") }),
      Effect.andThen(destroy(connection))
    )
  })

/** Owns INIT, and the end. */
const sessionChild = (
  connection: Connection,
  options: SessionOptions,
  ready: Deferred.Deferred<Negotiated>,
  drain: Duration.Duration
): Child => ({
  id: "session",
  shutdown: "infinity",
  init: Effect.addFinalizer(() => endCalls(connection, drain)),
  start: Effect.gen(function* () {
    if (connection.negotiated === undefined) {
      const slot = yield* takeInit(connection)
      yield* handshake(connection, slot, options).pipe(
        Effect.catchCause((cause) => {
          if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
          connection.failure = cause
          return Effect.andThen(connection.transport.close, Effect.never)
        })
      )
    }
    if (connection.negotiated !== undefined) Deferred.doneUnsafe(ready, Exit.succeed(connection.negotiated))
    if (options.resume === undefined) return yield* Effect.never
    // Delivered again when the agreement was recorded, but its server died before the reply.
    for (;;) yield* answerAgain(connection, yield* takeInit(connection), options)
  })
})

/** Runs requests. */
const dispatcherChild = (connection: Connection, options: SessionOptions): Child => ({
  id: "dispatcher",
  start: Effect.gen(function* () {
    const context = Context.add(yield* Effect.context<never>(), InsideOperation, true)
    return yield* Effect.callback<never, never>((resume) => {
      const { backend } = connection
      if (backend === undefined) {
        resume(Effect.die(new Error("the dispatcher was started without a backend")))
        return
      }
      const dispatcher = makeDispatcher(
        connection,
        backend,
        context,
        logDiagnostics(context),
        deadlineOf(options.deadline),
        options
      )
      const detach = attachDispatcher(connection, {
        onFrame: (slot) => {
          try {
            dispatcher.onFrame(slot)
          } catch (defect) {
            connection.transport.reply(slot, -errnoNumbers.EIO, 0)
            resume(Effect.die(defect))
          }
        },
        onBatchEnd: dispatcher.onBatchEnd,
        interrupt: dispatcher.interrupt
      })
      return Effect.sync(() => {
        detach()
        dispatcher.close()
      })
    })
  })
})

/** What a session's children share. */
export interface SessionParts {
  readonly connection: Connection
  readonly source: BackendSource
  readonly options: SessionOptions
  /** Done when INIT is answered. */
  readonly ready: Deferred.Deferred<Negotiated>
  /** Ends the session. */
  readonly over: Effect.Effect<unknown>
  /** How long calls in flight may take once the connection has ended. */
  readonly drain: Duration.Duration
}

/** The children, for `rest_for_one`. */
export const sessionChildren = ({
  connection,
  drain,
  options,
  over,
  ready,
  source
}: SessionParts): ReadonlyArray<Child> => [
  { id: "gatekeeper", start: gatekeeper(connection, options.grace ?? "10 seconds", over) },
  backendChild(connection, source),
  transportChild(connection, options),
  sessionChild(connection, options, ready, drain),
  // They have dispatchers of their own, and do not need this one.
  ...(connection.isolates === undefined ? [] : [connection.isolates.child]),
  dispatcherChild(connection, options)
]
