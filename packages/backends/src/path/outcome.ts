/** What a callback may answer: a value, a Promise or an Effect; and what it may fail with. */
import { Errno, type ErrnoError, errnoOf } from "@bickford/session"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** An Effect fails with an errno, in any of the ways in which one can be thrown; what else it fails with is a defect. */
export type Answer<A> = A | Promise<A> | Effect.Effect<A, unknown>

export type Outcome<A> = Effect.Effect<A, ErrnoError>

const failed = (thrown: unknown): Exit.Exit<never, ErrnoError> => {
  const errno = errnoOf(thrown)
  return errno === undefined ? Exit.die(thrown) : Exit.fail(errno)
}

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === "object" && value !== null && "then" in value && typeof value.then === "function"

/** As `outcome`; what a Promise brings after the caller has been interrupted is `late`. */
export const outcomeOrLate = <A>(call: () => Answer<A>, late: (value: A) => void): Outcome<A> =>
  outcome((): Answer<A> => {
    const answer = call()
    if (!isPromise(answer)) return answer
    return Effect.callback<A, unknown>((resume) => {
      let waits = true
      void answer.then(
        (value) => (waits ? resume(Effect.succeed(value)) : late(value)),
        (thrown: unknown) => resume(Effect.fail(thrown))
      )
      return Effect.sync(() => {
        waits = false
      })
    })
  })

/** An outcome that is there already: of the same types, which `Exit.isExit` forgets. */
export const settled = <A, E>(result: Effect.Effect<A, E>): Exit.Exit<A, E> | undefined =>
  Exit.isExit(result) ? (result as Exit.Exit<A, E>) : undefined

/**
 * `false` says of every callback that there is no such file. An Effect that a Promise or an Effect brings, as
 * `Errno.EACCES` returned by an async function, is the answer too.
 */
const found = <A>(value: A): Outcome<A> => {
  if (value === false) return Errno.ENOENT
  return Effect.isEffect(value) ? outcome((): Answer<A> => value as Effect.Effect<A, unknown>) : Exit.succeed(value)
}

/** The answer of a callback; one that is there at once is an `Exit`, and costs no fiber. */
export const outcome = <A>(call: () => Answer<A>): Outcome<A> => {
  try {
    const answer = call()
    if (Effect.isEffect(answer)) {
      const exit = settled(answer)
      if (exit === undefined) return Effect.flatMap(Effect.catch(answer, failed), found)
      if (Exit.isSuccess(exit)) return found(exit.value)
      const failure = Cause.findErrorOption(exit.cause)
      return failure._tag === "Some" ? failed(failure.value) : Exit.die(Cause.squash(exit.cause))
    }
    if (!isPromise(answer)) return found(answer)
    return Effect.flatMap(
      Effect.catch(Effect.tryPromise({ try: () => answer, catch: (thrown) => thrown }), failed),
      found
    )
  } catch (thrown) {
    return failed(thrown)
  }
}

/** Above this many bytes it is the size that makes a RangeError; below, it is a mistake of the callback's. */
const largeBytes = 2 ** 30

/** A size that JavaScript has no buffer for (a RangeError) is EFBIG. */
export const orTooLarge = <A>(size: number | bigint, first: Outcome<A>): Outcome<A> => {
  if (size < largeBytes) return first
  const judge = (cause: Cause.Cause<ErrnoError>): Outcome<A> =>
    Cause.squash(cause) instanceof RangeError ? Errno.EFBIG : Exit.failCause(cause)
  const exit = settled(first)
  if (exit === undefined) return Effect.catchCause(first, judge)
  return Exit.isSuccess(exit) ? exit : judge(exit.cause)
}

/** Goes on with a value, at once when it is there. */
export const andThen = <A, B>(first: Outcome<A>, next: (value: A) => Outcome<B>): Outcome<B> => {
  const exit = settled(first)
  if (exit === undefined) return Effect.flatMap(first, next)
  return Exit.isSuccess(exit) ? next(exit.value) : Exit.failCause(exit.cause)
}

export const map = <A, B>(first: Outcome<A>, change: (value: A) => B): Outcome<B> =>
  andThen(first, (value) => Exit.succeed(change(value)))

/** Goes on with an errno; defects and interruptions pass. */
export const orElse = <A, B>(first: Outcome<A>, next: (error: ErrnoError) => Outcome<B>): Outcome<A | B> => {
  const exit = settled(first)
  if (exit === undefined) return Effect.catch(first, next)
  if (Exit.isSuccess(exit)) return exit
  const failure = Cause.findErrorOption(exit.cause)
  return failure._tag === "Some" ? next(failure.value) : exit
}

/** `cleanUp` follows when it fails, or is interrupted; what that fails with is nobody's business. */
export const onFailure = <A>(first: Outcome<A>, cleanUp: () => Outcome<void>): Outcome<A> => {
  const exit = settled(first)
  if (exit === undefined)
    return Effect.onExit(first, (end) => (Exit.isSuccess(end) ? Effect.void : Effect.ignore(cleanUp())))
  return Exit.isSuccess(exit)
    ? exit
    : andThen(
        orElse(cleanUp(), () => Exit.void),
        () => exit
      )
}

/** `then` follows however it ends. */
export const ensuring = <A>(first: Outcome<A>, then: () => void): Outcome<A> => {
  if (!Exit.isExit(first)) return Effect.onExit(first, () => Effect.sync(then))
  then()
  return first
}

/** The answer of a callback that may be missing: then ENOSYS. */
export const optional = <Args extends ReadonlyArray<unknown>, A>(
  callback: ((...args: Args) => Answer<A>) | undefined,
  ...args: Args
): Outcome<A> => (callback === undefined ? Errno.ENOSYS : outcome(() => callback(...args)))
