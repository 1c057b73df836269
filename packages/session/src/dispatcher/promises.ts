/** Operations that are `async` functions. */
import { described } from "@bickford/protocol"
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

/** How many thenables may lead from one to the next. */
const mostThenables = 100

/**
 * Calls back once with what a promise, or anything with a `then`, brings. A thenable that leads to thenables without end
 * is a failure: `Promise.resolve` would follow it for ever, and nothing else would run.
 */
const settleThenable = (
  thenable: PromiseLike<unknown>,
  fulfilled: (value: unknown) => void,
  rejected: (thrown: unknown) => void,
  left = mostThenables
): void => {
  // What a promise of the language's own brings is no thenable.
  if (thenable instanceof Promise) {
    thenable.then(fulfilled, rejected)
    return
  }
  let settled = false
  const once =
    <A>(next: (value: A) => void) =>
    (value: A): void => {
      if (settled) return
      settled = true
      next(value)
    }
  const reject = once(rejected)
  try {
    thenable.then(
      once((value: unknown) => {
        if (!isThenable(value)) fulfilled(value)
        else if (left === 0) rejected(new TypeError("a thenable leads to thenables without end"))
        else queueMicrotask(() => settleThenable(value, fulfilled, rejected, left - 1))
      }),
      reject
    )
  } catch (thrown) {
    reject(thrown)
  }
}

/**
 * The answer that a promise brings. When it is interrupted nobody waits for the promise any more: `stop` is called, and
 * what it brings later goes to `late`. A rejection is always heard.
 */
export const answerOfPromise = (
  promise: PromiseLike<unknown>,
  stop: () => void,
  late: (value: unknown) => void
): Effect.Effect<unknown, unknown> =>
  Effect.callback((resume) => {
    let waits = true
    settleThenable(
      promise,
      (value) => (waits ? resume(Effect.succeed(value)) : late(value)),
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
  if (!isThenable(answer))
    return Exit.die(new TypeError(`returned was ${described(answer)}; expected: an Effect or a promise`))
  return Effect.callback((resume) => {
    // The types of what JavaScript returns are what it says that they are.
    settleThenable(
      answer,
      (value) => resume(Effect.succeed(value as A)),
      (thrown) => resume(failed(thrown))
    )
  })
}
