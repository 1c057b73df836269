/**
 * Waiting for others in the time of one's own. A process that was stopped (SIGSTOP, a frozen cgroup, a paused
 * virtual machine, swapping) finds all its timers due at once, and what the others did meanwhile not yet read:
 * a plain timeout would take its own absence for theirs.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** The event loop looks at what has arrived before it goes on with this. */
const turn: Effect.Effect<void> = Effect.callback<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

/** A sleep that took twice its time, and this long over it, was not the timer's own inaccuracy (milliseconds). */
const inaccuracy = 20

const monotonicMillis: Effect.Effect<number> = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

interface Slept {
  /** Milliseconds that count as waited: what was asked for, when it was `late`. */
  readonly counted: number
  /** This process did not run for a while. What has arrived meanwhile has been attended to. */
  readonly late: boolean
}

/** Sleeps, and tells whether this process was held up meanwhile. */
export const sleepAndTell = Effect.fnUntraced(function* (millis: number) {
  const began = yield* monotonicMillis
  yield* Effect.sleep(millis)
  const elapsed = (yield* monotonicMillis) - began
  const late = elapsed > 2 * millis + inaccuracy
  if (late) yield* turn
  const slept: Slept = { counted: late ? millis : elapsed, late }
  return slept
})

/** A stop of this process costs a wait at most one part of its time. */
const parts = 16

/**
 * Sleeps until this process itself has run for `duration`, and has had a part of it to attend to what arrived while
 * it did not run. On a machine that always holds it up it takes twice as many parts at most.
 */
export const patientSleep: (duration: Duration.Input) => Effect.Effect<void> = Effect.fnUntraced(function* (
  duration: Duration.Input
) {
  const whole = Duration.fromInputUnsafe(duration)
  if (!Duration.isFinite(whole)) return yield* Effect.never
  const part = Duration.toMillis(whole) / parts
  let left = Duration.toMillis(whole)
  for (let n = 0; n < 2 * parts && left > 0; n++) {
    const { counted, late } = yield* sleepAndTell(Math.min(part, left))
    left -= counted
    if (late) left = Math.max(left, part)
  }
})

/** As `Effect.timeoutOption`, by the time of `patientSleep`. */
export const patientTimeoutOption =
  (duration: Duration.Input) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Option.Option<A>, E, R> =>
    Effect.raceFirst(Effect.asSome(effect), Effect.as(patientSleep(duration), Option.none<A>()))

/** As `Effect.timeoutOrElse`, by the time of `patientSleep`. */
export const patientTimeoutOrElse =
  <A2, E2, R2>(options: { readonly duration: Duration.Input; readonly orElse: () => Effect.Effect<A2, E2, R2> }) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A | A2, E | E2, R | R2> =>
    Effect.flatMap(patientTimeoutOption(options.duration)(effect), (result): Effect.Effect<A | A2, E2, R2> =>
      Option.isSome(result) ? Effect.succeed(result.value) : options.orElse()
    )
