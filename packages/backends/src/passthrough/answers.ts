/** What a system call says, as an operation's answer. */
import { errnoNumbers } from "@bickford/protocol"
import { type ErrnoError, errnoError } from "@bickford/session"
import * as Exit from "effect/Exit"

export type Failure = Exit.Exit<never, ErrnoError>

export const done: Exit.Exit<void> = Exit.void

/** By errno. */
const failures: Array<Failure | undefined> = []

/** The failure for a negative errno. The descriptors that are used up (EMFILE) are this process's, not the caller's: ENFILE. */
export const failureOf = (status: number): Failure => {
  const known = failures[-status]
  if (known !== undefined) return known
  const made: Failure = Exit.fail(errnoError(status === -errnoNumbers.EMFILE ? errnoNumbers.ENFILE : -status))
  failures[-status] = made
  return made
}

/** Of a call that answers 0. */
export const answered = (status: number): Exit.Exit<void, ErrnoError> => (status < 0 ? failureOf(status) : done)
