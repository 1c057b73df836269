/**
 * What is answered in the place of an operation that a backend lacks which others have: ENOSYS would have the kernel ask
 * none of them any more.
 */
import type { Request } from "@bickford/protocol"
import type { standInFor } from "@bickford/session"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

export type Answer = Effect.Effect<unknown, unknown>

/** Of a backend: its answers for what it lacks. */
export type StandIn = ReturnType<typeof standInFor>

const isEnosys = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "ENOSYS"

/** An answer that may be ENOSYS, which the kernel must not see. */
export const withoutEnosys = (request: Request, answer: Answer, standIn: StandIn): Answer => {
  if (Exit.isExit(answer)) {
    if (Exit.isSuccess(answer)) return answer
    const error = Cause.findErrorOption(answer.cause)
    return error._tag === "Some" && isEnosys(error.value) ? standIn(request) : answer
  }
  return Effect.catch(answer, (error) => (isEnosys(error) ? standIn(request) : Effect.fail(error)))
}
