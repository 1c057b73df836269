/**
 * Looks after callers of calls that take long. The kernel sends one INTERRUPT for a call, for the first signal, and none for
 * a READ of its own reading ahead: a caller that is killed after a timer has ticked, or in a read of a file of known size,
 * is found here.
 */
import type { InFlight, InFlightTable } from "../connection/InFlightTable.ts"
import { isDying, isGone } from "./callerProcess.ts"

/** Milliseconds between two looks; a call that ends before the second one costs none. */
const interval = 250

export interface CallerWatch {
  /** There is something to look after. */
  readonly begin: () => void
  readonly close: () => void
}

/** `ended` is called for a call whose caller will not come back. */
export const makeCallerWatch = (inFlight: InFlightTable, ended: (entry: InFlight) => void): CallerWatch => {
  let timer: NodeJS.Timeout | undefined

  const close = (): void => {
    if (timer !== undefined) clearInterval(timer)
    timer = undefined
  }

  const look = (): void => {
    let left = false
    for (const entry of inFlight.values()) {
      if (entry.stopped !== undefined || entry.answered) continue
      // Of a process that was signalled more is to be known; where there was no INTERRUPT it is enough that it is there.
      if (
        entry.signalled
          ? isDying(entry.request.pid)
          : entry.row.op === "read" && entry.looked && isGone(entry.request.pid)
      )
        ended(entry)
      else if (entry.signalled || entry.row.op === "read") left = true
      entry.looked = true
    }
    if (!left) close()
  }

  return {
    begin: () => {
      timer ??= setInterval(look, interval).unref()
    },
    close
  }
}
