/** A clock whose process is stopped during a sleep: what a SIGSTOP, a frozen cgroup or a paused virtual machine does. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * Sleeps take no time of the real clock, but for one turn of the event loop. The `nth` one (from 1) is a stop of
 * `millis`: it ends so much late, and what arrived meanwhile (`arrives`) is there in the event loop's next turn only.
 */
export const stoppedClock = (nth: number, millis: number, arrives: () => void = () => {}) => {
  let now = 0
  let sleeps = 0
  const nanos = (): bigint => BigInt(Math.round(now * 1e6))
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => now,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        const handle = setImmediate(() => {
          now += Duration.toMillis(duration)
          if (++sleeps === nth) {
            now += millis
            setImmediate(arrives)
          }
          resume(Effect.void)
        })
        return Effect.sync(() => clearImmediate(handle))
      })
  }
  return { clock, provide: Effect.provideService(Clock.Clock, clock), now: () => now }
}
