/**
 * A supervisor in OTP's sense: starts its children in order, restarts them by a strategy when they end,
 * gives up when they end too often, stops them in reverse order.
 *
 * One fiber handles everything that happens, one event at a time. It works on `Exit`s: a defect or an
 * interruption from outside counts as an abnormal end, like a failure.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import { makeBackoff, makeIntensity } from "./intensity.ts"
import { type ChildSpec, type ChildState, type ChildStatus, SupervisorError, type SupervisorOptions } from "./spec.ts"

export interface Supervisor {
  /** Waits for the end: normal when a significant child ended or the supervisor was stopped. */
  readonly await: Effect.Effect<void, SupervisorError>
  readonly children: () => ReadonlyArray<ChildStatus>
  /** Interrupts a child's fiber from outside, as a crash would: the strategy decides what follows. False when it does not run. */
  readonly kill: (id: string) => boolean
}

interface Child {
  readonly spec: ChildSpec
  state: ChildState
  since: number
  restarts: number
  lastCause: Cause.Cause<unknown> | undefined
  scope: Scope.Closeable | undefined
  fiber: Fiber.Fiber<unknown, unknown> | undefined
}

/** A child's fiber has ended. */
interface Ended {
  readonly child: Child
  readonly fiber: Fiber.Fiber<unknown, unknown>
  readonly exit: Exit.Exit<unknown, unknown>
}

const shutdownDefault = Duration.seconds(5)

/** Starts `specs` in order. Closing the scope stops them in reverse order. */
export const make = Effect.fnUntraced(function*(options: SupervisorOptions, specs: ReadonlyArray<ChildSpec>) {
  const mailbox = yield* Queue.unbounded<Ended>()
  const ended = yield* Deferred.make<void, SupervisorError>()
  const intensity = makeIntensity(options.maxRestarts ?? 3, Duration.toMillis(Duration.fromInputUnsafe(options.maxSeconds ?? "5 seconds")))
  const backoff = makeBackoff(options.backoff)
  const children = specs.map((spec): Child => ({
    spec,
    state: "stopped",
    since: 0,
    restarts: 0,
    lastCause: undefined,
    scope: undefined,
    fiber: undefined
  }))

  const enter = (child: Child, state: ChildState) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      child.state = state
      child.since = now
    })

  /** Init, then the body in a fiber of its own. Fails when init does. */
  const start = Effect.fnUntraced(function*(child: Child) {
    yield* enter(child, "starting")
    const scope = yield* Scope.make()
    child.scope = scope
    if (child.spec.init !== undefined) yield* Scope.provide(child.spec.init, scope)
    const fiber = yield* Effect.forkDetach(Scope.provide(child.spec.start, scope), { startImmediately: true })
    child.fiber = fiber
    yield* enter(child, "running")
    fiber.addObserver((exit) => Queue.offerUnsafe(mailbox, { child, fiber, exit }))
  })

  /** Interrupts the fiber, then closes the scope; what takes longer than `shutdown` is left behind. */
  const stop = Effect.fnUntraced(function*(child: Child) {
    const { fiber, scope } = child
    if (scope === undefined) return
    child.fiber = undefined
    child.scope = undefined
    yield* enter(child, "stopping")
    const stopping = yield* Effect.forkDetach(
      Effect.andThen(fiber === undefined ? Effect.void : Fiber.interrupt(fiber), Scope.close(scope, Exit.void)),
      { startImmediately: true }
    )
    const limit = child.spec.shutdown ?? shutdownDefault
    const waiting = Effect.asVoid(Fiber.await(stopping))
    yield* limit === "infinity" ? waiting : Effect.timeoutOrElse(waiting, {
      duration: limit,
      orElse: () => Effect.logWarning(`supervisor ${options.id}: child ${child.spec.id} did not stop in time and is left behind`)
    })
    yield* enter(child, "stopped")
  })

  const stopAll = (which: ReadonlyArray<Child>) => Effect.forEach([...which].reverse(), stop, { discard: true })

  const affected = (child: Child): ReadonlyArray<Child> => {
    switch (options.strategy) {
      case "one_for_one":
        return [child]
      case "one_for_all":
        return children
      case "rest_for_one":
        return children.slice(children.indexOf(child))
    }
  }

  /** Restarts a child and whom the strategy takes with it, until they have started; fails past the intensity. */
  const restart = Effect.fnUntraced(function*(failed: Child, why: Cause.Cause<unknown>) {
    let child = failed
    let cause = why
    for (;;) {
      const at = yield* Clock.currentTimeMillis
      child.restarts++
      child.lastCause = cause
      const group = affected(child)
      const allowed = intensity.note({ id: child.spec.id, at, cause })
      yield* stopAll(group)
      if (!allowed) return yield* Effect.fail(new SupervisorError(options.id, intensity.history()))
      yield* Effect.logWarning(`supervisor ${options.id}: child ${child.spec.id} ended abnormally, restarting it`, cause)
      const delay = backoff(at)
      if (delay > 0) {
        yield* enter(child, "backoff")
        yield* Effect.sleep(delay)
      }
      let again: { readonly child: Child; readonly cause: Cause.Cause<unknown> } | undefined
      for (const next of group) {
        if (next !== child && next.spec.restart === "temporary") continue
        const exit = yield* Effect.exit(start(next))
        if (Exit.isFailure(exit)) {
          again = { child: next, cause: exit.cause }
          break
        }
      }
      if (again === undefined) return
      child = again.child
      cause = again.cause
    }
  })

  /** Handles one end; true when the supervisor ends with it. */
  const handle = Effect.fnUntraced(function*({ child, exit, fiber }: Ended) {
    // Stopped by us in the meantime, and perhaps started again.
    if (child.fiber !== fiber) return false
    child.fiber = undefined
    const kind = child.spec.restart ?? "permanent"
    if (kind === "permanent" || (kind === "transient" && Exit.isFailure(exit))) {
      yield* restart(child, Exit.isFailure(exit) ? exit.cause : Cause.die(new Error(`${child.spec.id} ended`)))
      return false
    }
    if (Exit.isFailure(exit)) child.lastCause = exit.cause
    yield* stop(child)
    return child.spec.significant === true && options.autoShutdown === "any_significant"
  })

  const serve = Effect.gen(function*() {
    while (!(yield* handle(yield* Queue.take(mailbox)))) continue
  })

  yield* Effect.addFinalizer(() => Effect.andThen(stopAll(children), Deferred.succeed(ended, undefined)))
  for (const child of children) {
    // A restart of an earlier child may have started this one as well.
    if (child.scope !== undefined) continue
    const exit = yield* Effect.exit(start(child))
    if (Exit.isFailure(exit)) yield* restart(child, exit.cause)
  }
  yield* Effect.forkScoped(
    Effect.flatMap(Effect.exit(serve), (exit) =>
      Effect.andThen(
        stopAll(children),
        Deferred.done(ended, Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? Exit.void : exit)
      ))
  )
  const supervisor: Supervisor = {
    await: Deferred.await(ended),
    children: () => children.map(({ lastCause, restarts, since, spec, state }) => ({ id: spec.id, state, since, restarts, lastCause })),
    kill: (id) => {
      const fiber = children.find(({ spec }) => spec.id === id)?.fiber
      fiber?.interruptUnsafe()
      return fiber !== undefined
    }
  }
  return supervisor
})
