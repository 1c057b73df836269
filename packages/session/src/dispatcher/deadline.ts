import type * as Duration from "effect/Duration"

/** How long an operation may take, and the positive errno its caller is answered when it takes longer. */
export interface Deadline {
  readonly after: Duration.Input
  readonly errno: number
}
