/** Child specifications and supervisor options, in OTP's words (supervisor(3erl)). */
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BackoffPolicy } from "./backoff.ts"

/** When a child that ended is started again: always; unless it succeeded; never. */
export type Restart = "permanent" | "transient" | "temporary"

/** Which siblings are restarted with a failed child: none; every one; those started after it. */
export type Strategy = "one_for_one" | "one_for_all" | "rest_for_one"

/** Which ends of `significant` children end the supervisor: none; the first; the last. */
export type AutoShutdown = "never" | "any_significant" | "all_significant"

/** How a child is started, restarted and stopped: OTP's child specification. */
export interface ChildSpec<E, R> {
  /** Unique among its siblings. */
  readonly id: string
  /** Runs before the next sibling starts, in the child's fresh Scope; its failure is the child's failure. */
  readonly init?: Effect.Effect<unknown, E, R | Scope.Scope>
  /** The child's body, run in the same Scope after `init`. The Scope is closed after it has ended. */
  readonly start: Effect.Effect<unknown, E, R | Scope.Scope>
  /** Default `permanent`. */
  readonly restart?: Restart
  /**
   * How long the child may take to stop, finalizers included, before it is left behind and logged;
   * `brutal`: it is interrupted and not waited for. Default 5 seconds, `infinity` for supervisors.
   */
  readonly shutdown?: Duration.Input | "brutal" | "infinity"
  /** Its normal end counts for `autoShutdown`; of a temporary child any end does. Not for permanent ones. Default false. */
  readonly significant?: boolean
  /** Default `worker`. */
  readonly type?: "worker" | "supervisor"
}

/** A supervisor's strategy, intensity and backoff. */
export interface SupervisorOptions {
  /** Names the supervisor in its tree, logs and errors. Default `supervisor`. */
  readonly id?: string
  readonly strategy: Strategy
  /** More restarts than this within `maxSeconds` end the supervisor with a `SupervisorError`. Default 3. */
  readonly maxRestarts?: number
  /** The sliding window for `maxRestarts`, both ends included. Default 5 seconds. */
  readonly maxSeconds?: Duration.Input
  /** Default `never`. */
  readonly autoShutdown?: AutoShutdown
  /** The delay between a child's end and its restart. Default none. */
  readonly backoff?: BackoffPolicy
}

/** `none`: a stopped child is not waited for. */
export type ShutdownLimit = Duration.Duration | "none"

export const shutdownLimit = (spec: Pick<ChildSpec<unknown, unknown>, "shutdown" | "type">): ShutdownLimit => {
  const shutdown = spec.shutdown ?? (spec.type === "supervisor" ? "infinity" : "5 seconds")
  if (shutdown === "brutal") return "none"
  return shutdown === "infinity" ? Duration.infinity : Duration.fromInputUnsafe(shutdown)
}

/** Throws a TypeError that names the option which cannot be. */
export const checkOptions = (options: SupervisorOptions): void => {
  const { backoff, maxRestarts = 3 } = options
  if (maxRestarts !== Infinity && !(Number.isInteger(maxRestarts) && maxRestarts >= 0)) {
    throw new TypeError(`maxRestarts must be an integer of at least 0, or Infinity: ${maxRestarts}`)
  }
  if (backoff !== undefined && !(backoff.factor >= 1)) {
    throw new TypeError(`backoff.factor must be at least 1: ${backoff.factor}`)
  }
}

/** Throws a TypeError that names the child and the field which cannot be. */
export const checkSpec = (
  options: SupervisorOptions,
  spec: Pick<ChildSpec<unknown, unknown>, "id" | "restart" | "significant">
): void => {
  if (spec.significant !== true) return
  if ((spec.restart ?? "permanent") === "permanent") {
    throw new TypeError(`child ${spec.id}: a permanent child cannot be significant`)
  }
  if ((options.autoShutdown ?? "never") === "never") {
    throw new TypeError(`child ${spec.id}: significant needs the supervisor's autoShutdown`)
  }
}
