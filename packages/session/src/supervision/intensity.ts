/** Restart intensity (a sliding window of restarts) and the delay between restarts. */
import * as Duration from "effect/Duration"
import type { Backoff, Restart } from "./spec.ts"

export interface Intensity {
  /** Notes a failure; true while restarting is still allowed. */
  readonly note: (restart: Restart) => boolean
  /** What is in the window now, oldest first. */
  readonly history: () => ReadonlyArray<Restart>
}

export const makeIntensity = (maxRestarts: number, windowMs: number): Intensity => {
  let recent: ReadonlyArray<Restart> = []
  return {
    note: (restart) => {
      recent = [...recent.filter(({ at }) => restart.at - at <= windowMs), restart]
      return recent.length <= maxRestarts
    },
    history: () => recent
  }
}

/** The delay, in milliseconds, before the restart at time `at`. */
export const makeBackoff = (backoff: Backoff | undefined): (at: number) => number => {
  if (backoff === undefined) return () => 0
  const initial = Duration.toMillis(Duration.fromInputUnsafe(backoff.initial))
  const max = Duration.toMillis(Duration.fromInputUnsafe(backoff.max))
  const quiet = Duration.toMillis(Duration.fromInputUnsafe(backoff.resetAfter))
  let delay = initial
  let last = -Infinity
  return (at) => {
    delay = at - last > quiet ? initial : Math.min(max, delay * backoff.factor)
    last = at
    return delay
  }
}
