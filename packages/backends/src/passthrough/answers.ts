/** What a system call says, as an operation's answer. */
import { type ErrnoError, errnoError } from "@bickford/session"
import * as Exit from "effect/Exit"

export type Failure = Exit.Exit<never, ErrnoError>

export const done: Exit.Exit<void> = Exit.void

/** By errno. */
const failures: Array<Failure | undefined> = []

/** The failure for a negative errno. */
export const failureOf = (status: number): Failure => {
  const known = failures[-status]
  if (known !== undefined) return known
  const made: Failure = Exit.fail(errnoError(-status))
  failures[-status] = made
  return made
}

/** Of a call that answers 0. */
export const answered = (status: number): Exit.Exit<void, ErrnoError> => status < 0 ? failureOf(status) : done
