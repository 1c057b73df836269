/**
 * A served connection: the supervision tree over it, from INIT to `destroy`.
 *
 * The tree is `rest_for_one` in the order backend, transport, session, dispatcher: what depends on a
 * failed part is restarted after it, and the connection underneath stays. An unmount ends the tree
 * normally; restarts past the intensity end it with a `SupervisorError`.
 *
 * @module
 */
import type { FrameTransport, Slot, TransportEnd } from "@bickford/transport"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { AsyncBackend } from "./Backend.ts"
import { attachDispatcher, backendConnection, type Connection, connectionSink, makeConnection, setBackend } from "./connection/Connection.ts"
import { logDiagnostics } from "./Diagnostics.ts"
import { type Deadline, makeDispatcher, stopInFlight } from "./dispatcher/Dispatcher.ts"
import { makeGuard } from "./dispatcher/guard.ts"
import { wrongInterruptible } from "./dispatcher/interruptible.ts"
import { effectOf } from "./dispatcher/promises.ts"
import { gatekeeper } from "./gatekeeper.ts"
import { answerAgain, handshake } from "./handshake.ts"
import { checkSessionOptions } from "./options.ts"
import { errnoNumbers } from "@bickford/protocol"
import { InsideOperation, type Notify } from "./notify/Notifier.ts"
import type { Negotiated } from "@bickford/protocol"
import type { OpcodeRow } from "@bickford/protocol/codec"
import * as Supervisor from "@bickford/supervisor"
import type { BackendSource, SessionOptions } from "./SessionOptions.ts"

export type { BackendSource, ConnectionRecord, SessionOptions } from "./SessionOptions.ts"

/** Why a session ended. */
export type SessionEnd =
  /** `asked`: the session's scope was closed. */
  | { readonly reason: TransportEnd | "asked" }
  | { readonly reason: "failed"; readonly cause: Cause.Cause<unknown> }

/** A connection that is served. */
export interface Session {
  readonly connection: Connection
  /** Waits for INIT to be answered; fails when the session ends before. */
  readonly negotiated: Effect.Effect<Negotiated, SessionEndedError>
  /** Waits for the end. */
  readonly awaitEnd: Effect.Effect<SessionEnd>
  readonly supervisor: Supervisor.Supervisor
  readonly notify: Notify
}

/** The session ended before what was waited for. */
export interface SessionEndedError {
  readonly _tag: "SessionEndedError"
  readonly message: string
  readonly end: SessionEnd
}

const reasonOf = (end: SessionEnd): string => {
  if (end.reason !== "failed") return end.reason
  const failure: unknown = Cause.squash(end.cause)
  return failure instanceof Error ? failure.message : String(failure)
}

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
const deadlineOf = (limits: SessionOptions["deadline"]): (row: OpcodeRow) => Deadline | undefined => {
  if (limits === undefined) return () => undefined
  if ("after" in limits) return () => limits
  const byOperation = new Map<string, Deadline>(Object.entries(limits))
  return (row) => byOperation.get(row.op)
}

const children = (
  connection: Connection,
  source: BackendSource,
  options: SessionOptions,
  ready: Deferred.Deferred<Negotiated>,
  over: Effect.Effect<unknown>,
  drain: Duration.Duration
): ReadonlyArray<Supervisor.ChildSpec<unknown, never>> => [
  {
    id: "gatekeeper",
    start: gatekeeper(connection, options.grace ?? "10 seconds", over)
  },
  {
    id: "backend",
    init: Effect.gen(function*() {
      // Interruptible: a source that waits for its database must not hold up the end of the mount.
      const instance = yield* acquire(source)
      yield* Effect.addFinalizer(() => Effect.andThen(stopInFlight(connection, "restart"), Effect.sync(() => setBackend(connection, undefined))))
      const wrong = wrongInterruptible(instance)
      if (wrong !== undefined) return yield* Effect.die(new TypeError(wrong))
      setBackend(connection, instance)
      const { backend, negotiated } = connection
      if (negotiated !== undefined && backend?.init !== undefined) yield* effectOf(backend.init(negotiated, backendConnection(connection)) ?? Effect.void)
    }),
    start: Effect.suspend(() => connection.backend?.run ?? Effect.never)
  },
  {
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
      }))
  },
  {
    id: "session",
    shutdown: "infinity",
    init: Effect.addFinalizer(() =>
      Effect.suspend(() => {
        // Only the end of the connection ends the calls: a restart of this fiber leaves them running.
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
    ),
    start: Effect.gen(function*() {
      if (connection.negotiated === undefined) {
        const slot = yield* takeInit(connection)
        const { onNegotiated } = options
        yield* handshake(connection, slot, options, (negotiated) => onNegotiated?.({ id: connection.id, negotiated }) ?? Effect.void).pipe(
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
  },
  {
    id: "dispatcher",
    start: Effect.gen(function*() {
      const context = Context.add(yield* Effect.context<never>(), InsideOperation, true)
      return yield* Effect.callback<never, never>((resume) => {
        const { backend } = connection
        if (backend === undefined) {
          resume(Effect.die(new Error("the dispatcher was started without a backend")))
          return
        }
        const dispatcher = makeDispatcher(connection, backend, context, logDiagnostics(context), deadlineOf(options.deadline), options)
        const detach = attachDispatcher(connection, {
          onFrame: (slot) => {
            try {
              dispatcher.onFrame(slot)
            } catch (defect) {
              connection.transport.reply(slot, -errnoNumbers.EIO, 0)
              resume(Effect.die(defect))
            }
          },
          onBatchEnd: dispatcher.onBatchEnd
        })
        return Effect.sync(() => {
          detach()
          dispatcher.close()
        })
      })
    })
  }
]

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

/**
 * Serves `source` over `transport`. Closing the scope stops reading, gives calls in flight their time,
 * calls `destroy` and closes the transport.
 */
export const make = Effect.fnUntraced(function*(transport: FrameTransport, source: BackendSource, options: SessionOptions = {}) {
  const wrong = checkSessionOptions(options)
  if (wrong !== undefined) return yield* Effect.fail(wrong)
  const connection = makeConnection(transport, options.resume, options.atime)
  const ready = yield* Deferred.make<Negotiated>()
  const over = yield* Deferred.make<void>()
  const ended = yield* Deferred.make<SessionEnd>()
  const drain = Duration.fromInputUnsafe(options.drain ?? "5 seconds")
  yield* Effect.addFinalizer(() => transport.close)
  const finish = (exit: Exit.Exit<unknown, unknown>) =>
    Effect.suspend(() => {
      connection.notifier.end()
      const cause = connection.failure ?? (Exit.isFailure(exit) ? exit.cause : undefined)
      const end: SessionEnd = cause === undefined ? { reason: connection.ended ?? "closed" } : { reason: "failed", cause }
      return Deferred.succeed(ended, end)
    })
  const treeScope = yield* Effect.acquireRelease(Scope.make(), (scope, exit) => {
    connection.ended ??= "asked"
    return Effect.andThen(Scope.close(scope, exit), finish(Exit.void))
  })
  // The supervisor is at work on a backend that does not come: only from outside can it be told to stop.
  yield* Effect.forkIn(Effect.andThen(Deferred.await(over), Scope.close(treeScope, Exit.void)), yield* Effect.scope)
  const supervisor = yield* Scope.provide(
    Supervisor.make(
      {
        id: "session",
        strategy: "rest_for_one",
        autoShutdown: "any_significant",
        maxRestarts: options.maxRestarts ?? 3,
        maxSeconds: options.maxSeconds ?? "5 seconds"
      },
      children(connection, source, options, ready, Deferred.succeed(over, undefined), drain)
    ),
    treeScope
  )
  yield* Effect.forkIn(Effect.flatMap(Effect.exit(supervisor.await), finish), yield* Effect.scope)
  const awaitEnd = Deferred.await(ended)
  const negotiated = Effect.raceFirst(
    Deferred.await(ready),
    Effect.flatMap(awaitEnd, (end) =>
      Effect.fail<SessionEndedError>({ _tag: "SessionEndedError", message: `the session ended before INIT was answered: ${reasonOf(end)}`, end }))
  )
  const session: Session = { connection, negotiated, awaitEnd, supervisor, notify: connection.notifier }
  return session
})
