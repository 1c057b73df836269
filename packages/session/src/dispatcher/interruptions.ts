/** Stops operations for their callers' sake: at INTERRUPT, and when a caller will not come back. */
import { errnoNumbers, type U64 } from "@bickford/protocol"
import type { AsyncBackend } from "../Backend.ts"
import type { InFlight, InFlightTable } from "../connection/InFlightTable.ts"
import { Errno } from "../errno.ts"
import type { Answers } from "./answers.ts"
import { isDying } from "./callerProcess.ts"
import { makeCallerWatch } from "./callerWatch.ts"
import type { Guard } from "./guard.ts"
import { interruptibleOf } from "./interruptible.ts"
import { withoutResendBit } from "./unique.ts"

export interface Interruptions {
  /** Takes an INTERRUPT for the request whose `unique` is `target`; false when no such request is in flight. */
  readonly interrupt: (target: U64) => boolean
  /** Begins to look after the callers of requests in flight, until there is none to look after. */
  readonly watchCallers: () => void
  readonly close: () => void
}

/** `withdraw` takes a request out of those that wait to begin; false when it is none of them. */
export const makeInterruptions = (
  inFlight: InFlightTable,
  backend: AsyncBackend,
  guard: Guard,
  answers: Answers,
  withdraw: (entry: InFlight) => boolean
): Interruptions => {
  const interruptible = interruptibleOf(backend)

  const stop = (entry: InFlight): void => {
    entry.stopped = "interrupted"
    if (withdraw(entry)) {
      answers.answer(entry, Errno.EINTR)
      return
    }
    entry.fiber?.interruptUnsafe()
    entry.caller?.abort()
  }

  /** The caller will not come back: what only looks is stopped, and so is what has not begun. */
  const leave = (entry: InFlight): void => {
    entry.caller?.interrupt(guard)
    const { changesNamespace, op } = entry.row
    const mayStop = interruptible(entry.row) !== "never"
    if (entry.caller === undefined || (mayStop && !changesNamespace)) stop(entry)
    // It runs on: what it opens is closed again, and the kernel is told of names that it changes.
    else if (mayStop || op === "open" || op === "opendir") answers.answerEarly(entry, "interrupted", errnoNumbers.EINTR)
  }

  const callers = makeCallerWatch(inFlight, leave)

  return {
    interrupt: (target) => {
      const entry = inFlight.get(withoutResendBit(target))
      // Unknown: answered already. On one fd an INTERRUPT follows its request, so it cannot be early.
      if (entry === undefined) return false
      entry.caller?.interrupt(guard)
      if (entry.stopped !== undefined) return true
      if (interruptible(entry.row) === "signal") stop(entry)
      else if (isDying(entry.request.pid)) leave(entry)
      else {
        // The kernel does not tell of a second signal.
        entry.signalled = true
        callers.begin()
      }
      return true
    },
    watchCallers: callers.begin,
    close: callers.close
  }
}
