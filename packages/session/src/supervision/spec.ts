/** Child specifications and supervisor options, in OTP's words (`supervisor(3erl)`). */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface ChildSpec {
  readonly id: string
  /** Runs to its end before the next sibling starts, in the child's fresh scope; its failure is the child's. */
  readonly init?: Effect.Effect<void, unknown, Scope.Scope>
  /** The child's body: runs as its fiber, in the same scope. */
  readonly start: Effect.Effect<unknown, unknown, Scope.Scope>
  /** `permanent` (default): always restarted; `transient`: unless it succeeded; `temporary`: never. */
  readonly restart?: "permanent" | "transient" | "temporary"
  /** How long it may take to stop, its finalizers included, before it is left behind and logged. Default 5 seconds. */
  readonly shutdown?: Duration.Input | "infinity"
  /** Its normal end is the supervisor's, with `autoShutdown`. */
  readonly significant?: boolean
}

export type Strategy = "one_for_one" | "one_for_all" | "rest_for_one"

/** The delay before restarts; grows from `initial` to `max`, and is forgotten after a quiet `resetAfter`. */
export interface Backoff {
  readonly initial: Duration.Input
  readonly max: Duration.Input
  readonly factor: number
  readonly resetAfter: Duration.Input
}

export interface SupervisorOptions {
  readonly id: string
  readonly strategy: Strategy
  /** More restarts than this within `maxSeconds` and the supervisor itself fails. Default 3. */
  readonly maxRestarts?: number
  /** Default 5 seconds. */
  readonly maxSeconds?: Duration.Input
  /** `any_significant`: the first significant child to end for good ends the supervisor. Default `never`. */
  readonly autoShutdown?: "never" | "any_significant"
  readonly backoff?: Backoff
}

/** One restart, for the history. */
export interface Restart {
  readonly id: string
  /** Milliseconds on the `Clock`. */
  readonly at: number
  readonly cause: Cause.Cause<unknown>
}

export type ChildState = "starting" | "running" | "backoff" | "stopping" | "stopped"

export interface ChildStatus {
  readonly id: string
  readonly state: ChildState
  /** When it came into this state, in milliseconds on the `Clock`. */
  readonly since: number
  readonly restarts: number
  /** Why it last ended abnormally. */
  readonly lastCause: Cause.Cause<unknown> | undefined
}

/** The supervisor gave up: its children failed faster than the intensity allows. */
export class SupervisorError extends Error {
  readonly _tag = "SupervisorError"
  override readonly name = "SupervisorError"
  readonly id: string
  /** The restarts within the window, oldest first, then the failure that was one too many. */
  readonly history: ReadonlyArray<Restart>

  constructor(id: string, history: ReadonlyArray<Restart>) {
    super(`supervisor ${id} gave up: ${history.length} failures too close together, the last of ${history.at(-1)?.id ?? "no child"}`)
    this.id = id
    this.history = history
  }
}
