/**
 * An OTP supervisor: one fiber that takes messages (a child exited, a command, a delay is over) one
 * after another and alone starts and stops children. It works on Exits: a failure, a defect and an
 * interruption from outside are all abnormal ends.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Child, Run } from "./child.ts"
import * as Commands from "./commands.ts"
import { type ChildError, SupervisorError } from "./errors.ts"
import type { SupervisorEvent } from "./events.ts"
import { makeIntensity } from "./intensity.ts"
import { startChild, stopChild } from "./lifecycle.ts"
import { recover, removeChild, startGroup } from "./restarts.ts"
import { checkOptions, type ChildSpec, type SupervisorOptions } from "./spec.ts"
import { emit, type Message, setState, type State, treeOf } from "./state.ts"
import { ParentSlot, type TreeNode } from "./tree.ts"

/** A running supervisor. */
export interface Supervisor {
  /** Waits for the end: succeeds when it was stopped or shut itself down, fails when it gave up. */
  readonly await: Effect.Effect<void, SupervisorError>
  /** The tree as it is now; its root is this supervisor. Answers at once, also while children start or stop. */
  readonly tree: Effect.Effect<TreeNode>
  /**
   * Subscribes to what happens from now on, here and in nested supervisors. A subscriber more than
   * 1024 events behind loses the oldest.
   */
  readonly events: Effect.Effect<PubSub.Subscription<SupervisorEvent>, never, Scope.Scope>
  /** Adds a child after the others and starts it; returns after its `init`. Fails with `already_present` or `start_failed`. */
  readonly startChild: <E, R>(spec: ChildSpec<E, R>) => Effect.Effect<void, ChildError, R>
  /** Stops a child. It stays known, unless it is temporary, and comes back when its group restarts. Fails with `not_found`. */
  readonly terminateChild: (id: string) => Effect.Effect<void, ChildError>
  /** Starts a stopped child; returns after its `init`. Fails with `not_found`, `running`, `restarting` or `start_failed`. */
  readonly restartChild: (id: string) => Effect.Effect<void, ChildError>
  /** Forgets a stopped child. Fails with `not_found`, `running` or `restarting`. */
  readonly deleteChild: (id: string) => Effect.Effect<void, ChildError>
  /** Interrupts a child from outside, as a crash would: its restart type and the strategy decide what follows. False when it does not run. */
  readonly kill: (id: string) => boolean
  /** Stops the children in reverse order, and ends normally. */
  readonly stop: Effect.Effect<void>
}

/** The end of a significant child that nobody restarts ends its supervisor. */
const shutsDown = (self: State, child: Child): boolean => {
  if (!child.significant) return false
  if (self.options.autoShutdown === "any_significant") return true
  return !self.children.some(
    (sibling) => sibling.significant && (sibling.run !== undefined || sibling.timer !== undefined)
  )
}

const onExited = Effect.fnUntraced(function* (self: State, child: Child, run: Run, exit: Exit.Exit<unknown, unknown>) {
  // The supervisor has stopped that run itself.
  if (child.run !== run) return
  const cause = Exit.isFailure(exit) ? exit.cause : undefined
  if (cause !== undefined) {
    child.lastCause = cause
    self.lastCause = cause
  }
  emit(self, [child.id], { _tag: "Exited", cause })
  yield* stopChild(self, child)
  if (child.restart === "permanent" || (child.restart === "transient" && cause !== undefined)) {
    return yield* recover(self, child, cause, "start")
  }
  if (child.restart === "temporary") removeChild(self, child)
  if (shutsDown(self, child)) Deferred.doneUnsafe(self.stopRequested, Exit.void)
})

const onMessage = (self: State, message: Message): Effect.Effect<unknown, SupervisorError> => {
  switch (message._tag) {
    case "Exited":
      return onExited(self, message.child, message.run, message.exit)
    case "Due":
      return startGroup(self, message.members)
    case "Command":
      return message.execute
    case "Wake":
      return Effect.void
  }
}

const startAll = Effect.fnUntraced(function* (self: State) {
  for (const child of self.children.slice()) {
    const answer = yield* startChild(self, child)
    if (answer === "stop") return
    if (answer !== "started") {
      setState(self, child, "failed")
      return yield* new SupervisorError({
        id: self.id,
        reason: "start_failed",
        child: child.id,
        failure: answer,
        history: []
      })
    }
  }
  setState(self, self, "running")
})

/** Stops the children in reverse order and says how it ended. */
const end = Effect.fnUntraced(function* (self: State, exit: Exit.Exit<void, SupervisorError>) {
  setState(self, self, "stopping")
  for (const child of self.children.toReversed()) yield* stopChild(self, child)
  setState(self, self, Exit.isSuccess(exit) ? "stopped" : "failed")
  emit(self, [], { _tag: "Ended", error: Option.getOrUndefined(Exit.findErrorOption(exit)) })
  Deferred.doneUnsafe(self.ended, exit)
})

const run = Effect.fnUntraced(function* (self: State, started: Deferred.Deferred<void, SupervisorError>) {
  const serve = Effect.gen(function* () {
    yield* startAll(self)
    Deferred.doneUnsafe(started, Exit.void)
    while (!Deferred.isDoneUnsafe(self.stopRequested)) yield* onMessage(self, yield* Queue.take(self.queue))
  })
  const exit = yield* Effect.exit(serve)
  yield* end(self, exit)
  // Only where it did not start: there it has been stopped again before `make` fails.
  Deferred.doneUnsafe(started, exit)
})

/**
 * Starts the children in order, each after its predecessor's `init`. When an `init` fails, what was
 * started is stopped and this fails with `start_failed`. Closing the scope stops the children in
 * reverse order. Options and specs that cannot be are defects (TypeError).
 */
export const make = Effect.fnUntraced(function* <E = never, R = never>(
  options: SupervisorOptions,
  specs: ReadonlyArray<ChildSpec<E, R>>
) {
  checkOptions(options)
  const context = yield* Effect.context<R>()
  const clock = yield* Clock.Clock
  const self: State = {
    id: options.id ?? "supervisor",
    options,
    clock,
    queue: yield* Queue.unbounded<Message>(),
    pubsub: yield* PubSub.sliding<SupervisorEvent>(1024),
    parent: yield* ParentSlot,
    intensity: makeIntensity(options.maxRestarts ?? 3, Duration.toMillis(options.maxSeconds ?? "5 seconds")),
    stopRequested: yield* Deferred.make<void>(),
    ended: yield* Deferred.make<void, SupervisorError>(),
    children: [],
    state: "starting",
    since: clock.currentTimeMillisUnsafe(),
    restarts: 0,
    lastCause: undefined
  }
  for (const spec of specs) {
    if (self.children.some((child) => child.id === spec.id)) throw new TypeError(`two children are called ${spec.id}`)
    Commands.adopt(self, spec, context)
  }
  self.parent?.attach(() => treeOf(self))
  const started = yield* Deferred.make<void, SupervisorError>()
  yield* Effect.acquireRelease(
    Effect.forkDetach(run(self, started), { startImmediately: true, uninterruptible: false }),
    () => Commands.stop(self)
  )
  yield* Deferred.await(started)
  const supervisor: Supervisor = {
    await: Deferred.await(self.ended),
    tree: Effect.sync(() => treeOf(self)),
    events: PubSub.subscribe(self.pubsub),
    startChild: (spec) => Commands.startChild(self, spec),
    terminateChild: (id) => Commands.terminateChild(self, id),
    restartChild: (id) => Commands.restartChild(self, id),
    deleteChild: (id) => Commands.deleteChild(self, id),
    kill: (id) => {
      const run = self.children.find((child) => child.id === id)?.run
      run?.fiber.interruptUnsafe()
      return run !== undefined
    },
    stop: Commands.stop(self)
  }
  return supervisor
})
