/** What is answered in the place of an operation that a backend lacks. */
import { type EmptyReplyKind, type OperationName, operations } from "@bickford/protocol"
import { Errno } from "@bickford/session"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../../posix/linux.ts"

export type Answer = Effect.Effect<unknown, unknown>

/** Success with nothing in it, by the kind of reply. */
const empty: Readonly<Record<string, Answer>> = {
  nothing: Exit.void,
  opened: Exit.succeed({ fh: 0, openFlags: 0 }),
  usage: Exit.succeed({ blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0, bsize: 4096, namelen: 255, frsize: 4096 }),
  events: Exit.succeed(POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)
} satisfies Record<EmptyReplyKind, Answer>

/**
 * What the kernel is told by a backend that lacks an operation which others have: ENOSYS would turn it off
 * for all of them.
 */
export const lacking = (name: OperationName): Answer => {
  const { reply, whenAbsent } = operations[name]
  return (whenAbsent === "empty" ? empty[reply] : Errno[whenAbsent]) ?? Errno.ENOSYS
}

const isEnosys = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "ENOSYS"

/** An answer that may be ENOSYS, which the kernel must not see. */
export const withoutEnosys = (name: OperationName, answer: Answer): Answer => {
  if (operations[name].whenAbsent === "ENOSYS") return answer
  const instead = lacking(name)
  if (!Exit.isExit(answer)) return Effect.catch(answer, (error) => (isEnosys(error) ? instead : Effect.fail(error)))
  if (Exit.isSuccess(answer)) return answer
  const error = Cause.findErrorOption(answer.cause)
  return error._tag === "Some" && isEnosys(error.value) ? instead : answer
}
