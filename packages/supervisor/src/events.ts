/** What happens in a supervision tree, as a stream. */
import type * as Cause from "effect/Cause"
import type { SupervisorError } from "./errors.ts"

interface Common {
  /** Child ids from the supervisor that is listened to, downwards; empty for that supervisor itself. */
  readonly path: ReadonlyArray<string>
  /** Clock milliseconds. */
  readonly at: number
}

/** What happens in a tree, in the order in which it happens. */
export type SupervisorEvent = Common &
  /** `init` begins. */
  (
    | { readonly _tag: "Starting" }
    /** `init` succeeded, the body runs. */
    | { readonly _tag: "Started" }
    /** It ended by itself; `cause` if it failed, died or was interrupted from outside. */
    | { readonly _tag: "Exited"; readonly cause: Cause.Cause<unknown> | undefined }
    /** It will be started again after `delay` milliseconds. */
    | { readonly _tag: "Restarting"; readonly delay: number }
    /** Its supervisor stops it. */
    | { readonly _tag: "Stopping" }
    | { readonly _tag: "Stopped" }
    /** It did not stop in time and was left behind. */
    | { readonly _tag: "Detached" }
    /** The supervisor ended: the last event of its path. */
    | { readonly _tag: "Ended"; readonly error: SupervisorError | undefined }
  )

type WithoutCommon<T> = T extends unknown ? Omit<T, keyof Common> : never

/** An event before it is known where and when it happened. */
export type EventBody = WithoutCommon<SupervisorEvent>
