/** Commands to a running supervisor, done by its fiber between other messages. */
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import { makeBackoff } from "./backoff.ts"
import { type Child, makeChild } from "./child.ts"
import { ChildError, type SupervisorError } from "./errors.ts"
import { startChild as start, type Started, stopChild } from "./lifecycle.ts"
import { removeChild } from "./restarts.ts"
import { checkSpec, type ChildSpec } from "./spec.ts"
import { now, setState, type State } from "./state.ts"

type Body = Effect.Effect<void, ChildError | SupervisorError>

/** Has the supervisor's fiber do `body`; when it gives up over it, its end is the answer. */
const submit = Effect.fnUntraced(function* (self: State, id: string, body: Body) {
  const reply = yield* Deferred.make<void, ChildError>()
  Queue.offerUnsafe(self.queue, {
    _tag: "Command",
    execute: body.pipe(
      Effect.andThen(Deferred.succeed(reply, undefined)),
      Effect.catchTag("ChildError", (error) => Deferred.fail(reply, error))
    )
  })
  const ended = Effect.andThen(
    Effect.exit(Deferred.await(self.ended)),
    Effect.fail(new ChildError({ id, reason: "supervisor_stopped" }))
  )
  yield* Effect.raceFirst(Deferred.await(reply), ended)
})

const withChild = (self: State, id: string, f: (child: Child) => Body): Effect.Effect<void, ChildError> =>
  submit(
    self,
    id,
    Effect.suspend(() => {
      const child = self.children.find((child) => child.id === id)
      return child === undefined ? Effect.fail(new ChildError({ id, reason: "not_found" })) : f(child)
    })
  )

const settle = (id: string, answer: Started): Effect.Effect<void, ChildError> => {
  if (answer === "started") return Effect.void
  if (answer === "stop") return Effect.fail(new ChildError({ id, reason: "supervisor_stopped" }))
  return Effect.fail(new ChildError({ id, reason: "start_failed", failure: answer }))
}

const refuseActive = ({ id, run, timer }: Child): Effect.Effect<void, ChildError> => {
  if (run !== undefined) return Effect.fail(new ChildError({ id, reason: "running" }))
  if (timer !== undefined) return Effect.fail(new ChildError({ id, reason: "restarting" }))
  return Effect.void
}

/** A child that is not started yet. */
export const adopt = <E, R>(self: State, spec: ChildSpec<E, R>, context: Context.Context<R>): Child => {
  checkSpec(self.options, spec)
  const child = makeChild(spec, context, makeBackoff(self.options.backoff), now(self))
  self.children.push(child)
  return child
}

export const startChild = Effect.fnUntraced(function* <E, R>(self: State, spec: ChildSpec<E, R>) {
  const context = yield* Effect.context<R>()
  yield* Effect.sync(() => checkSpec(self.options, spec))
  yield* submit(
    self,
    spec.id,
    Effect.gen(function* () {
      if (self.children.some((child) => child.id === spec.id)) {
        return yield* new ChildError({ id: spec.id, reason: "already_present" })
      }
      const child = adopt(self, spec, context)
      const answer = yield* start(self, child)
      if (answer !== "started" && answer !== "stop") removeChild(self, child)
      yield* settle(spec.id, answer)
    })
  )
})

export const terminateChild = (self: State, id: string): Effect.Effect<void, ChildError> =>
  withChild(self, id, (child) =>
    Effect.andThen(
      stopChild(self, child),
      Effect.sync(() => {
        if (child.restart === "temporary") removeChild(self, child)
      })
    )
  )

export const restartChild = (self: State, id: string): Effect.Effect<void, ChildError> =>
  withChild(self, id, (child) =>
    Effect.gen(function* () {
      yield* refuseActive(child)
      child.restarts++
      self.restarts++
      const answer = yield* start(self, child)
      if (answer !== "started" && answer !== "stop") setState(self, child, "failed")
      yield* settle(id, answer)
    })
  )

export const deleteChild = (self: State, id: string): Effect.Effect<void, ChildError> =>
  withChild(self, id, (child) =>
    Effect.andThen(
      refuseActive(child),
      Effect.sync(() => removeChild(self, child))
    )
  )

/** Tells the supervisor to stop and waits until it has, however it ends. */
export const stop = (self: State): Effect.Effect<void> =>
  Effect.suspend(() => {
    Deferred.doneUnsafe(self.stopRequested, Exit.void)
    Queue.offerUnsafe(self.queue, { _tag: "Wake" })
    return Effect.asVoid(Effect.exit(Deferred.await(self.ended)))
  })
