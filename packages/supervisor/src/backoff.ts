/** The delay between restarts: grows with every one, forgotten after a quiet period. */
import * as Duration from "effect/Duration"

export interface BackoffPolicy {
  /** The first delay. */
  readonly initial: Duration.Input
  /** The longest delay. */
  readonly max: Duration.Input
  /** Each delay is the last one times this; at least 1. */
  readonly factor: number
  /** A child that has run so long starts from `initial` again. */
  readonly resetAfter: Duration.Input
}

export interface Backoff {
  /** The child runs since `at` (milliseconds of the monotonic clock). */
  readonly started: (at: number) => void
  /** The child failed at `at` (milliseconds): how long to wait now, in milliseconds. */
  readonly next: (at: number) => number
}

const none: Backoff = { started: () => {}, next: () => 0 }

/** One child's backoff. */
export const makeBackoff = (policy: BackoffPolicy | undefined): Backoff => {
  if (policy === undefined) return none
  const initial = Duration.toMillis(policy.initial)
  const max = Duration.toMillis(policy.max)
  const resetAfter = Duration.toMillis(policy.resetAfter)
  let delay: number | undefined
  let runningSince: number | undefined
  return {
    started: (at) => {
      runningSince = at
    },
    next: (at) => {
      const quiet = runningSince !== undefined && at - runningSince >= resetAfter
      delay = Math.min(delay === undefined || quiet ? initial : delay * policy.factor, max)
      // A child whose init fails over and over has not been quiet, however long it took.
      runningSince = undefined
      return delay
    }
  }
}
