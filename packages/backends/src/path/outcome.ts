/** What a callback may answer: a value, a Promise or an Effect; and what it may fail with. */
import { Errno, type ErrnoError, errnoError, errnoNumbers, isErrnoError } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

export type Answer<A> = A | Promise<A> | Effect.Effect<A, ErrnoError>

export type Outcome<A> = Effect.Effect<A, ErrnoError>

const isErrnoName = (name: string): name is keyof typeof errnoNumbers => Object.hasOwn(errnoNumbers, name)

/**
 * The errno that something thrown stands for: one of `Errno`, Node's errors by their `code` or `errno`, a
 * positive or negative error number. Anything else is a defect.
 */
const errnoOf = (thrown: unknown): ErrnoError | undefined => {
  if (isErrnoError(thrown)) return thrown
  if (typeof thrown === "number" && Number.isInteger(thrown) && thrown !== 0) return errnoError(Math.abs(thrown))
  // `throw Errno.ENOENT`
  if (Exit.isExit(thrown)) {
    const failure = Exit.findErrorOption(thrown)
    return failure._tag === "Some" ? errnoOf(failure.value) : undefined
  }
  if (thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" && isErrnoName(thrown.code)) {
    return errnoError(errnoNumbers[thrown.code])
  }
  return undefined
}

const failed = (thrown: unknown): Exit.Exit<never, ErrnoError> => {
  const errno = errnoOf(thrown)
  return errno === undefined ? Exit.die(thrown) : Exit.fail(errno)
}

const isPromise = (value: unknown): value is Promise<unknown> => typeof value === "object" && value !== null && "then" in value && typeof value.then === "function"

/** The answer of a callback; one that is there at once is an `Exit`, and costs no fiber. */
export const outcome = <A>(call: () => Answer<A>): Outcome<A> => {
  try {
    const answer = call()
    if (Effect.isEffect(answer)) return answer
    if (!isPromise(answer)) return Exit.succeed(answer)
    return Effect.catch(Effect.tryPromise({ try: () => answer, catch: (thrown) => thrown }), failed)
  } catch (thrown) {
    return failed(thrown)
  }
}

/** An outcome that is there already: of the same types, which `Exit.isExit` forgets. */
const settled = <A>(result: Outcome<A>): Exit.Exit<A, ErrnoError> | undefined => Exit.isExit(result) ? result as Exit.Exit<A, ErrnoError> : undefined

/** Goes on with a value, at once when it is there. */
export const andThen = <A, B>(first: Outcome<A>, next: (value: A) => Outcome<B>): Outcome<B> => {
  const exit = settled(first)
  if (exit === undefined) return Effect.flatMap(first, next)
  return Exit.isSuccess(exit) ? next(exit.value) : Exit.failCause(exit.cause)
}

export const map = <A, B>(first: Outcome<A>, change: (value: A) => B): Outcome<B> => andThen(first, (value) => Exit.succeed(change(value)))

/** The answer of a callback that may be missing: then ENOSYS. */
export const optional = <Args extends ReadonlyArray<unknown>, A>(callback: ((...args: Args) => Answer<A>) | undefined, ...args: Args): Outcome<A> =>
  callback === undefined ? Errno.ENOSYS : outcome(() => callback(...args))
