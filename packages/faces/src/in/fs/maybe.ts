/** Going on with an answer that may be there at once. */
import type { Maybe } from "./FsLike.ts"

/** Whether an answer is still to come. */
export const isLater = <A>(answer: Maybe<A>): answer is Promise<A> =>
  typeof answer === "object" && answer !== null && "then" in answer && typeof answer.then === "function"

/** What is like a Promise as one: some have a `then` that gives nothing, and no `catch`. */
const promised = <A>(answer: Promise<A>): Promise<A> => (answer instanceof Promise ? answer : Promise.resolve(answer))

/** Goes on with an answer, at once when it is there. */
export const chain = <A, B>(answer: Maybe<A>, next: (value: A) => Maybe<B>): Maybe<B> =>
  isLater(answer) ? promised(answer).then(next) : next(answer)

/** Goes on with what a call fails with. */
export const recover = <A, B>(call: () => Maybe<A>, handle: (error: unknown) => Maybe<B>): Maybe<A | B> => {
  try {
    const answer = call()
    return isLater(answer) ? promised(answer).catch(handle) : answer
  } catch (error) {
    return handle(error)
  }
}

/** Runs steps one after the other. */
export const inTurn = (steps: ReadonlyArray<() => Maybe<unknown>>): Maybe<void> =>
  steps.reduce<Maybe<void>>((before, step) => chain(before, () => chain(step(), () => undefined)), undefined)

/** The `code` of an error, as Node's have it. */
export const codeOf = (error: unknown): string | undefined =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined
