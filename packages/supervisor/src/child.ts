/** One child: its state, and starting and stopping one run of it. */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { Backoff } from "./backoff.ts"
import { patientTimeoutOption } from "./patience.ts"
import { type ChildSpec, type Restart, type ShutdownLimit, shutdownLimit } from "./spec.ts"
import { type NodeState, ParentSlot, type TreeNode, type TreeSlot } from "./tree.ts"

/** One life of a child, in a scope of its own. */
export interface Run {
  readonly scope: Scope.Closeable
  readonly fiber: Fiber.Fiber<unknown, unknown>
  /** `init` is over: undefined when it succeeded, else why it failed. */
  readonly initialized: Deferred.Deferred<Cause.Cause<unknown> | undefined>
}

/** Children that are started together when `fiber` has slept. */
interface Timer {
  readonly members: Set<Child>
  readonly fiber: Fiber.Fiber<unknown, unknown>
}

type OnExit = (run: Run, exit: Exit.Exit<unknown, unknown>) => void

export interface Child {
  readonly id: string
  readonly restart: Restart
  readonly significant: boolean
  readonly type: "worker" | "supervisor"
  readonly limit: ShutdownLimit
  readonly backoff: Backoff
  /** Begins a run; `onExit` is called when its fiber ends, whoever ended it. */
  readonly launch: (slot: TreeSlot, onExit: OnExit) => Run
  state: NodeState
  since: number
  restarts: number
  lastCause: Cause.Cause<unknown> | undefined
  run: Run | undefined
  /** Set in `backoff`. */
  timer: Timer | undefined
  nested: (() => TreeNode) | undefined
}

/** `context`: the child's services, clock and loggers. `now`: Clock milliseconds. */
export const makeChild = <E, R>(
  spec: ChildSpec<E, R>,
  context: Context.Context<R>,
  backoff: Backoff,
  now: number
): Child => ({
  id: spec.id,
  restart: spec.restart ?? "permanent",
  significant: spec.significant ?? false,
  type: spec.type ?? "worker",
  limit: shutdownLimit(spec),
  backoff,
  launch: (slot, onExit) => launch(spec, Context.add(context, ParentSlot, slot), onExit),
  state: "stopped",
  since: now,
  restarts: 0,
  lastCause: undefined,
  run: undefined,
  timer: undefined,
  nested: undefined
})

const launch = <E, R>(spec: ChildSpec<E, R>, context: Context.Context<R>, onExit: OnExit): Run => {
  const scope = Scope.makeUnsafe()
  const initialized = Deferred.makeUnsafe<Cause.Cause<unknown> | undefined>()
  const initDone = Effect.sync(() => Deferred.doneUnsafe(initialized, Exit.succeed(undefined)))
  const fiber = Effect.runForkWith(Context.add(context, Scope.Scope, scope))(
    Effect.andThen(spec.init === undefined ? initDone : Effect.andThen(spec.init, initDone), spec.start)
  )
  const run: Run = { scope, fiber, initialized }
  fiber.addObserver((exit) => {
    Deferred.doneUnsafe(initialized, Exit.succeed(Exit.isFailure(exit) ? exit.cause : undefined))
    onExit(run, exit)
  })
  return run
}

/**
 * Interrupts the run and closes its scope. Answers false when that takes longer than `limit`; it then
 * goes on by itself.
 */
export const stopRun = Effect.fnUntraced(function* (run: Run, limit: ShutdownLimit) {
  // The body first, then its scope: a body never sees its own resources released.
  run.fiber.interruptUnsafe()
  const closing = yield* Effect.forkDetach(
    Effect.flatMap(Fiber.await(run.fiber), (exit) => Scope.close(run.scope, exit)).pipe(
      Effect.catchCause((cause) => Effect.logWarning("a child's finalizer failed", cause))
    ),
    { startImmediately: true }
  )
  if (closing.pollUnsafe() !== undefined || limit === "none") return true
  if (!Duration.isFinite(limit)) {
    yield* Fiber.await(closing)
    return true
  }
  return Option.isSome(yield* patientTimeoutOption(limit)(Fiber.await(closing)))
})

/** The child's node, with the nested supervisor's children if it runs one. */
export const nodeOf = (child: Child): TreeNode => {
  const nested = child.nested?.()
  return {
    id: child.id,
    type: nested === undefined ? child.type : "supervisor",
    ...(nested?.strategy === undefined ? {} : { strategy: nested.strategy }),
    state: child.state,
    since: child.since,
    restarts: child.restarts,
    lastCause: child.lastCause,
    children: nested?.children ?? []
  }
}
