import type { Timespec } from "@bickford/session"

/**
 * The time of day in nanoseconds: `Date.now` has milliseconds only, so the monotonic clock supplies
 * the rest. Never goes back, unless the system's clock is set back.
 */
export const systemClock = (): () => Timespec => {
  // Milliseconds from the monotonic clock to the time of day. Every sample is a lower bound, since
  // Date.now rounds down: the largest one seen is the best, until the system's clock is set.
  let offset = Number.NEGATIVE_INFINITY
  let last: Timespec = { sec: 0, nsec: 0 }
  let lastMillis = Number.NEGATIVE_INFINITY
  return () => {
    const monotonic = performance.now()
    const sample = Date.now() - monotonic
    if (sample > offset) offset = sample
    else if (offset - sample > 50) {
      offset = sample
      lastMillis = Number.NEGATIVE_INFINITY
    }
    const millis = monotonic + offset
    if (millis <= lastMillis) return last
    lastMillis = millis
    const sec = Math.floor(millis / 1000)
    // Whole milliseconds and the fraction apart: their sum in nanoseconds is no safe integer.
    last = { sec, nsec: Math.min(999_999_999, Math.floor((millis - sec * 1000) * 1e6)) }
    return last
  }
}

/** Whether `a` is not after `b`. */
export const notAfter = (a: Timespec, b: Timespec): boolean => a.sec < b.sec || (a.sec === b.sec && a.nsec <= b.nsec)

/** Whole seconds and nanoseconds of a number of seconds, for timeouts. */
export const timespec = (seconds: number): Timespec => {
  const sec = Math.floor(seconds)
  return { sec, nsec: Math.min(999_999_999, Math.round((seconds - sec) * 1e9)) }
}
