/** Restarts: which children a failed one takes with it, when they come back, and when it is enough. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Child } from "./child.ts"
import { SupervisorError } from "./errors.ts"
import { startChild, type Started, stopChild } from "./lifecycle.ts"
import { elapsed, emit, now, setState, type State } from "./state.ts"

/** The children that a restart of `child` restarts, in start order. */
const groupOf = (self: State, child: Child): ReadonlyArray<Child> => {
  switch (self.options.strategy) {
    case "one_for_one":
      return [child]
    case "one_for_all":
      return self.children.slice()
    case "rest_for_one":
      return self.children.slice(self.children.indexOf(child))
  }
}

/** Forgets a child, which must be stopped. */
export const removeChild = (self: State, child: Child): void => {
  self.children.splice(self.children.indexOf(child), 1)
}

/** Stops a child's group in reverse order and answers who is to come back: not the temporary siblings. */
const stopGroup = Effect.fnUntraced(function* (self: State, child: Child) {
  const group = groupOf(self, child)
  for (const member of group.toReversed()) {
    yield* stopChild(self, member)
    if (member !== child && member.restart === "temporary") removeChild(self, member)
  }
  return group.filter((member) => member === child || member.restart !== "temporary")
})

/** Starts children in order; when an `init` fails, that is one more failure to recover from. */
export const startGroup: (self: State, group: Iterable<Child>) => Effect.Effect<Started, SupervisorError> =
  Effect.fnUntraced(function* (self: State, group: Iterable<Child>) {
    const members = new Set(group)
    for (const child of self.children.filter((child) => members.has(child))) {
      child.restarts++
      self.restarts++
      const answer = yield* startChild(self, child)
      if (answer === "started") continue
      // What was to follow is of this child's group too.
      if (answer !== "stop") yield* recover(self, child, answer, "init")
      return answer
    }
    return "started"
  })

/** Starts children together after `delay` milliseconds. */
const startLater = Effect.fnUntraced(function* (self: State, group: Iterable<Child>, delay: number) {
  const members = new Set(group)
  const due = Effect.sync(() => Queue.offerUnsafe(self.queue, { _tag: "Due", members }))
  const fiber = yield* Effect.forkDetach(delay > 0 ? Effect.andThen(Effect.sleep(delay), due) : due)
  for (const member of members) {
    member.timer = { members, fiber }
    setState(self, member, "backoff")
  }
})

/**
 * What the end of a child entails: its group goes down, and comes up again now or after its backoff.
 * Fails when that is one restart too many.
 */
export const recover = Effect.fnUntraced(function* (
  self: State,
  child: Child,
  cause: Cause.Cause<unknown> | undefined,
  during: "init" | "start"
) {
  const restart = { id: child.id, at: now(self), cause }
  if (self.intensity.exceeded(restart, elapsed(self))) {
    setState(self, child, "failed")
    return yield* new SupervisorError({
      id: self.id,
      reason: "restarts_exceeded",
      child: child.id,
      failure: cause,
      history: self.intensity.history()
    })
  }
  const delay = child.backoff.next(elapsed(self))
  yield* Effect.logWarning(
    `supervisor ${self.id}: child ${child.id} ended and is restarted${delay > 0 ? ` in ${delay} ms` : ""}`,
    ...(cause === undefined ? [] : [cause])
  )
  const group = yield* stopGroup(self, child)
  emit(self, [child.id], { _tag: "Restarting", delay })
  // After a failed init always by way of the queue, so that commands are heard between attempts.
  if (delay > 0 || during === "init") yield* startLater(self, group, delay)
  else yield* startGroup(self, group)
})
