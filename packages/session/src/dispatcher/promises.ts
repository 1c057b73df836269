/** Operations that are `async` functions. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { errnoOf } from "../errno.ts"

export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && "then" in value && typeof value.then === "function"

/** What something thrown comes to: its errno, or a defect. */
export const failed = (thrown: unknown): Exit.Exit<never, unknown> => {
  try {
    const error = errnoOf(thrown)
    if (error !== undefined) return Exit.fail(error)
  } catch {
    // What cannot even be looked at carries no errno.
  }
  return Exit.die(thrown)
}

/**
 * The answer that a promise brings. When it is interrupted nobody waits for the promise any more: `stop` is called, and
 * what it brings later goes to `late`. A rejection is always heard.
 */
export const answerOfPromise = (promise: PromiseLike<unknown>, stop: () => void, late: (value: unknown) => void): Effect.Effect<unknown, unknown> =>
  Effect.callback((resume) => {
    let waits = true
    Promise.resolve(promise).then(
      (value) => waits ? resume(Effect.succeed(value)) : late(value),
      (thrown: unknown) => {
        if (waits) resume(failed(thrown))
      }
    )
    return Effect.sync(() => {
      waits = false
      stop()
    })
  })

/** What an operation or a hook returned, as an Effect: a promise is waited for, and what it rejects with is its errno or a defect. */
export const effectOf = <A>(answer: Effect.Effect<A, unknown> | PromiseLike<A>): Effect.Effect<A, unknown> => {
  if (Effect.isEffect(answer)) return answer
  // JavaScript returns what it likes.
  if (!isThenable(answer)) return Exit.die(new TypeError("neither an Effect nor a promise was returned"))
  return Effect.callback((resume) => {
    Promise.resolve(answer).then((value) => resume(Effect.succeed(value)), (thrown: unknown) => resume(failed(thrown)))
  })
}
