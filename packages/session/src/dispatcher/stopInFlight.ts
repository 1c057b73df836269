import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Connection } from "../connection/Connection.ts"
import type { InFlight, StopReason } from "../connection/InFlightTable.ts"

/** Tells every request in flight to stop, for `reason`, and waits until their fibers have ended; each gets its one reply. */
export const stopInFlight = (connection: Connection, reason: StopReason): Effect.Effect<void> =>
  Effect.suspend(() => {
    const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
    const callers: Array<InFlight["caller"]> = []
    for (const entry of connection.inFlight.values()) {
      if (entry.fiber === undefined) {
        // Not begun, and nobody is left to be answered.
        if (reason === "shutdown") connection.inFlight.delete(entry)
        continue
      }
      entry.stopped ??= reason
      fibers.push(entry.fiber)
      callers.push(entry.caller)
    }
    // An operation may be deaf to interruption and listen to its signal.
    return Effect.andThen(
      Effect.sync(() => callers.forEach((caller) => caller?.abort())),
      Fiber.interruptAll(fibers)
    )
  })
