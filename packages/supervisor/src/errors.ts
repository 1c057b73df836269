/** What a supervisor and its commands fail with. */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"

/** One restart: which child, when (Clock milliseconds), and what it had failed with, if it failed. */
export interface RestartRecord {
  readonly id: string
  readonly at: number
  readonly cause: Cause.Cause<unknown> | undefined
}

/** What a child failed with, where it says so. */
const because = (failure: Cause.Cause<unknown> | undefined): string => {
  const failed: unknown = failure === undefined ? undefined : Cause.squash(failure)
  return failed instanceof Error && failed.message !== "" ? `: ${failed.message}` : ""
}

/** The supervisor gave up; its children are stopped. */
export class SupervisorError extends Data.TaggedError("SupervisorError")<{
  /** The supervisor's. */
  readonly id: string
  /** `start_failed`: a child's first `init` failed. `restarts_exceeded`: more restarts than `maxRestarts`. */
  readonly reason: "restarts_exceeded" | "start_failed"
  /** The child that was the last straw. */
  readonly child: string
  /** What that child failed with; undefined when a permanent child had ended normally. */
  readonly failure: Cause.Cause<unknown> | undefined
  /** The restarts within `maxSeconds`, oldest first; the last one was not done. */
  readonly history: ReadonlyArray<RestartRecord>
}> {
  /** What failed, in a sentence. */
  override get message(): string {
    return this.reason === "start_failed"
      ? `supervisor ${this.id}: child ${this.child} failed to start${because(this.failure)}`
      : `supervisor ${this.id}: too many restarts (${this.history.map((restart) => restart.id).join(", ")})`
  }
}

/** A command that could not be done. */
export class ChildError extends Data.TaggedError("ChildError")<{
  /** The child's. */
  readonly id: string
  /** `supervisor_stopped`: the supervisor ended before it did the command. */
  readonly reason: "already_present" | "not_found" | "running" | "restarting" | "start_failed" | "supervisor_stopped"
  /** What `init` failed with, for `start_failed`. */
  readonly failure?: Cause.Cause<unknown>
}> {
  /** What failed, in a sentence. */
  override get message(): string {
    return `child ${this.id}: ${this.reason.replaceAll("_", " ")}`
  }
}
