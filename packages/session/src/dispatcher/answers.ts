/** The one reply to a request of the in-flight table: written when its operation ends, or before that. */
import type * as Exit from "effect/Exit"
import type { Connection } from "../connection/Connection.ts"
import type { InFlight, StopReason } from "../connection/InFlightTable.ts"
import type { Responder } from "./Responder.ts"

export interface Answers {
  /** Replies with the operation's outcome; the request leaves the table. */
  readonly answer: (entry: InFlight, exit: Exit.Exit<unknown, unknown>) => void
  /**
   * Replies with a positive errno before the operation has ended: what that brings later is withdrawn. Returns false, and
   * writes nothing, when the reply is out or the request's slot is still in use.
   */
  readonly answerEarly: (entry: InFlight, reason: StopReason, errno: number) => boolean
  /** Replies with a positive errno at once, and stops the operation; its fiber may take its time to end. */
  readonly expire: (entry: InFlight, errno: number) => void
}

export const makeAnswers = (connection: Connection, responder: Responder): Answers => {
  const { inFlight, transport } = connection

  const answerEarly = (entry: InFlight, reason: StopReason, errno: number): boolean => {
    if (entry.answered || !("detached" in entry.place)) return false
    entry.stopped = reason
    entry.answered = true
    transport.replyDetached(entry.place.detached, -errno, [])
    connection.observer?.replied(entry.row, entry.request, errno, 0, 0)
    return true
  }

  return {
    answer: (entry, exit) => {
      const { place, request, row } = entry
      if ("slot" in place) responder.toSlot(place.slot, row, request, exit, entry.stopped)
      else responder.toDetached(place.detached, row, request, exit, entry.stopped)
      inFlight.delete(entry)
    },
    answerEarly,
    expire: (entry, errno) => {
      if (!answerEarly(entry, "deadline", errno)) return
      entry.fiber?.interruptUnsafe()
      entry.caller?.abort()
    }
  }
}
