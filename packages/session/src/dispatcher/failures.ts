/** The errno that a failed operation is answered with: a typed errno's number; EIO and a log line for a defect. */
import { errnoName, errnoNumbers, type Request } from "@bickford/protocol"
import type { OpcodeRow } from "@bickford/protocol/codec"
import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import type { Connection } from "../connection/Connection.ts"
import type { StopReason } from "../connection/InFlightTable.ts"
import type { Diagnostics } from "../Diagnostics.ts"
import { errnoErrorNamed, errnoOf, isErrnoError, wireErrno } from "../errno.ts"
import { placeOf } from "./place.ts"

/** What a caller is answered whose operation was stopped for this reason, as a positive errno. */
const stopErrno = (reason: StopReason | undefined): number => {
  switch (reason) {
    case "interrupted":
      return errnoNumbers.EINTR
    case "deadline":
      return errnoNumbers.ETIMEDOUT
    default:
      return errnoNumbers.EIO
  }
}

/** Whether a failure is what came of stopping the operation: an interruption, or a `signal` that was aborted. */
const isOfStopping = (cause: Cause.Cause<unknown>): boolean => {
  if (Cause.hasInterruptsOnly(cause)) return true
  const thrown = Cause.squash(cause)
  return thrown instanceof Error && thrown.name === "AbortError"
}

type Failure = Exit.Failure<unknown, unknown>

/** Returns a function from a failed exit to a negative errno. `stopped`: why the operation was stopped, if it was. */
export const makeFailures = (connection: Connection, diagnostics: Diagnostics) => {
  // Failures are few and met again and again: the last one's number needs no looking for.
  let lastFailure: Failure | undefined
  let lastError = 0

  return (row: OpcodeRow, request: Request, exit: Failure, stopped: StopReason | undefined): number => {
    if (exit === lastFailure) return lastError
    const { cause } = exit
    let error = errnoNumbers.EIO as number
    for (const reason of cause.reasons) {
      if (Cause.isFailReason(reason)) {
        const known = isErrnoError(reason.error) ? reason.error : errnoOf(reason.error)
        if (known === undefined) continue
        lastFailure = exit
        lastError = -wireErrno(known)
        return lastError
      }
      // What was thrown is a defect; if it is a system call's error (Node's, with its `code`) the caller is told which.
      if (Cause.isDieReason(reason) && reason.defect instanceof Error)
        error = wireErrno(errnoOf(reason.defect) ?? errnoErrorNamed("EIO"))
    }
    if (stopped !== undefined && isOfStopping(cause)) return -stopErrno(stopped)
    connection.counters.defects++
    diagnostics.defect(`${row.op} of ${placeOf(connection.backend, request)}`, cause, errnoName(error) ?? "EIO")
    return -error
  }
}
