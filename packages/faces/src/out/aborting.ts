/** Calls that an `AbortSignal` ends, as Node's do. */
import * as Effect from "effect/Effect"

/** The error of Node's for what a signal has ended; its cause is the signal's reason. */
export const aborted = (signal: AbortSignal | undefined): Error =>
  Object.assign(new Error("The operation was aborted", { cause: signal?.reason }), {
    name: "AbortError",
    code: "ABORT_ERR"
  })

/** Runs a call; `signal` ends it with an AbortError. */
export const runUntil = async <A, E>(call: Effect.Effect<A, E>, signal: AbortSignal | undefined): Promise<A> => {
  if (signal === undefined) return Effect.runPromise(call)
  if (signal.aborted) throw aborted(signal)
  return Effect.runPromise(call, { signal }).catch((error: unknown) => {
    throw signal.aborted ? aborted(signal) : error
  })
}
