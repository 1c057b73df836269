/**
 * A served connection: the supervision tree over it, from INIT to `destroy`.
 *
 * The tree is `rest_for_one` in the order backend, transport, session, dispatcher: what depends on a
 * failed part is restarted after it, and the connection underneath stays. An unmount ends the tree
 * normally; restarts past the intensity end it with a `SupervisorError`.
 *
 * @module
 */
import type { FrameTransport, TransportEnd } from "@bickford/transport"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { type Connection, makeConnection } from "./connection/Connection.ts"
import { makeIsolates } from "./isolates/coordinator.ts"
import { checkSessionOptions, checkSource, isOptionError, type OptionError } from "./options.ts"
import type { Notify } from "./notify/Notifier.ts"
import type { Negotiated } from "@bickford/protocol"
import * as Supervisor from "@bickford/supervisor"
import { sessionChildren } from "./sessionChildren.ts"
import type { BackendSource, SessionOptions } from "./SessionOptions.ts"

export type { BackendSource, ConnectionRecord, SessionOptions } from "./SessionOptions.ts"

/** Why a session ended. */
export type SessionEnd =
  /** `asked`: the session's scope was closed. */
  { readonly reason: TransportEnd | "asked" } | { readonly reason: "failed"; readonly cause: Cause.Cause<unknown> }

/** A connection that is served. */
export interface Session {
  readonly connection: Connection
  /** Waits for INIT to be answered; fails when the session ends before, or what the backend declares contradicts itself. */
  readonly negotiated: Effect.Effect<Negotiated, SessionEndedError | OptionError>
  /** Waits for the end. */
  readonly awaitEnd: Effect.Effect<SessionEnd>
  readonly supervisor: Supervisor.Supervisor
  readonly notify: Notify
}

/** The session ended before what was waited for. */
export class SessionEndedError extends Data.TaggedError("SessionEndedError")<{
  /** What it ended with. */
  readonly message: string
  readonly end: SessionEnd
}> {}

const reasonOf = (end: SessionEnd): string => {
  if (end.reason !== "failed") return end.reason
  const failure: unknown = Cause.squash(end.cause)
  return failure instanceof Error ? failure.message : String(failure)
}

/** Why a session ended before INIT was answered. */
const endedEarly = (end: SessionEnd): SessionEndedError | OptionError => {
  const failure: unknown = end.reason === "failed" ? Cause.squash(end.cause) : undefined
  if (isOptionError(failure)) return failure
  return new SessionEndedError({ message: `the session ended before INIT was answered: ${reasonOf(end)}`, end })
}

/**
 * Serves `source` over `transport`. Closing the scope stops reading, gives calls in flight their time,
 * calls `destroy` and closes the transport.
 */
export const make = Effect.fnUntraced(function* (
  transport: FrameTransport,
  source: BackendSource,
  options: SessionOptions = {}
) {
  const wrong = checkSource(source) ?? checkSessionOptions(options)
  if (wrong !== undefined) return yield* Effect.fail(wrong)
  return yield* makeOver(makeConnection(transport, options.resume, options.atime), source, options)
})

/** As `make`, over a connection: one that nobody has served yet, or one that was agreed on elsewhere. */
export const makeOver = Effect.fnUntraced(function* (
  connection: Connection,
  source: BackendSource,
  options: SessionOptions
) {
  const { transport } = connection
  const ready = yield* Deferred.make<Negotiated>()
  const over = yield* Deferred.make<void>()
  const ended = yield* Deferred.make<SessionEnd>()
  const drain = Duration.fromInputUnsafe(options.drain ?? "5 seconds")
  yield* Effect.addFinalizer(() => transport.close)
  connection.isolates = makeIsolates(connection, options, yield* Effect.scope)
  const finish = (exit: Exit.Exit<unknown, unknown>) =>
    Effect.suspend(() => {
      connection.notifier.end()
      const cause = connection.failure ?? (Exit.isFailure(exit) ? exit.cause : undefined)
      const end: SessionEnd =
        cause === undefined ? { reason: connection.ended ?? "closed" } : { reason: "failed", cause }
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
      sessionChildren({ connection, source, options, ready, over: Deferred.succeed(over, undefined), drain })
    ),
    treeScope
  )
  yield* Effect.forkIn(Effect.flatMap(Effect.exit(supervisor.await), finish), yield* Effect.scope)
  const awaitEnd = Deferred.await(ended)
  const negotiated = Effect.raceFirst(
    Deferred.await(ready),
    Effect.flatMap(awaitEnd, (end) => Effect.fail(endedEarly(end)))
  )
  const session: Session = { connection, negotiated, awaitEnd, supervisor, notify: connection.notifier }
  return session
})
