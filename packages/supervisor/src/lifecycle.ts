/** A supervisor starting and stopping one child. */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { type Child, stopRun } from "./child.ts"
import { elapsed, emit, publish, setState, type State } from "./state.ts"

/** How a start went: the cause when `init` failed, `stop` when the supervisor is to stop meanwhile. */
export type Started = "started" | "stop" | Cause.Cause<unknown>

/** The child no longer waits for its backoff. */
const leaveTimer = (child: Child): void => {
  const { timer } = child
  if (timer === undefined) return
  child.timer = undefined
  timer.members.delete(child)
  if (timer.members.size === 0) timer.fiber.interruptUnsafe()
}

/** Stops what runs, in bounded time; a child that does not run is only marked. */
export const stopChild = Effect.fnUntraced(function* (self: State, child: Child) {
  leaveTimer(child)
  const { run } = child
  if (run === undefined) {
    if (child.state === "backoff") setState(self, child, "stopped")
    return
  }
  setState(self, child, "stopping")
  emit(self, [child.id], { _tag: "Stopping" })
  if (!(yield* stopRun(run, child.limit))) {
    emit(self, [child.id], { _tag: "Detached" })
    yield* Effect.logWarning(`supervisor ${self.id}: child ${child.id} did not stop in time and was left behind`)
  }
  child.run = undefined
  child.nested = undefined
  setState(self, child, "stopped")
  emit(self, [child.id], { _tag: "Stopped" })
})

/** Begins a run and waits for its `init`; after a failed one nothing of it is left. */
export const startChild: (self: State, child: Child) => Effect.Effect<Started> = Effect.fnUntraced(function* (
  self: State,
  child: Child
) {
  leaveTimer(child)
  setState(self, child, "starting")
  emit(self, [child.id], { _tag: "Starting" })
  const run = child.launch(
    {
      attach: (nested) => {
        child.nested = nested
      },
      publish: (event) => publish(self, { ...event, path: [child.id, ...event.path] })
    },
    (run, exit) => Queue.offerUnsafe(self.queue, { _tag: "Exited", child, run, exit })
  )
  child.run = run
  const answer = yield* Effect.raceFirst(
    Effect.map(Deferred.await(run.initialized), (cause): Started => cause ?? "started"),
    Effect.as(Deferred.await(self.stopRequested), "stop" as const)
  )
  if (answer === "stop") return answer
  if (answer === "started") {
    setState(self, child, "running")
    child.backoff.started(elapsed(self))
    emit(self, [child.id], { _tag: "Started" })
    return answer
  }
  child.lastCause = answer
  self.lastCause = answer
  emit(self, [child.id], { _tag: "Exited", cause: answer })
  yield* stopChild(self, child)
  return answer
})
