/** Log lines of the session: what a person needs to find the fault behind an EIO. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { thrown } from "./observe/thrown.ts"

export interface Diagnostics {
  /** An operation threw or died. `what` has the operation and its path, as `getattr of /file`. */
  readonly defect: (what: string, cause: Cause.Cause<unknown>, answered: string) => void
  /** What has no reply threw: `forget`, `delivered`, a callback. */
  readonly threw: (what: string, defect: unknown) => void
  /** An operation returned what cannot be encoded; `how` says what, and what is expected. */
  readonly refused: (what: string, how: string, answered: string) => void
  /** A frame that could not be decoded. */
  readonly malformed: (message: string) => void
  /** The kernel did not take a reply. */
  readonly rejected: (opcode: string, errno: number) => void
}

/** Diagnostics that go to the Effect logger of `context`. */
export const logDiagnostics = (context: Context.Context<never>): Diagnostics => {
  const run = Effect.runForkWith(context)
  return {
    defect: (what, cause, answered) => {
      run(Effect.logError(`${what} failed: ${thrown(cause)}. Its caller gets ${answered}.`, cause))
    },
    threw: (what, defect) => {
      run(Effect.logError(`the backend's ${what} failed with a defect`, Cause.die(defect)))
    },
    refused: (what, how, answered) => {
      run(Effect.logError(`${what} answered ${how}. Its caller gets ${answered}.`))
    },
    malformed: (message) => {
      run(Effect.logError(`malformed request: ${message}`))
    },
    rejected: (opcode, errno) => {
      run(Effect.logWarning(`the kernel did not take the reply to ${opcode}: errno ${errno}`))
    }
  }
}
