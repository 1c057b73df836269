/** Statements are run again while what they failed of may pass: for a time, and then no longer. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { DatabaseError, isTransient } from "./database.ts"

const asDatabaseError = (error: unknown): DatabaseError =>
  error instanceof DatabaseError
    ? error
    : new DatabaseError({
        message: error instanceof Error ? error.message : String(error),
        code: "XX000",
        cause: error
      })

/** Runs `body`, and again while it fails of what may pass, for `seconds` at the most. */
export const patiently = <A>(body: () => Promise<A>, seconds: number): Effect.Effect<A, DatabaseError> =>
  Effect.tryPromise({ try: body, catch: asDatabaseError }).pipe(
    Effect.retry({
      while: isTransient,
      schedule: Schedule.min([Schedule.exponential("10 millis"), Schedule.spaced("500 millis")]).pipe(
        Schedule.upTo({ duration: Duration.seconds(seconds) })
      )
    })
  )
