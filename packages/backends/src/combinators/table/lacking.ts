/** What is answered in the place of an operation that a backend lacks. */
import type { Request } from "@bickford/protocol"
import { Errno } from "@bickford/session"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../../posix/linux.ts"

type Op = Request["op"]
export type Answer = Effect.Effect<unknown, unknown>

/**
 * What the kernel is told by a backend that lacks an operation which others have: ENOSYS would turn it off
 * for all of them.
 */
const standIns: { readonly [Name in Op]?: Answer } = {
  open: Exit.succeed({ fh: 0, openFlags: 0 }),
  opendir: Exit.succeed({ fh: 0, openFlags: 0 }),
  release: Exit.void,
  releasedir: Exit.void,
  flush: Exit.void,
  fsync: Exit.void,
  fsyncdir: Exit.void,
  access: Exit.void,
  poll: Exit.succeed(POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM),
  setxattr: Errno.ENOTSUP,
  getxattr: Errno.ENOTSUP,
  listxattr: Errno.ENOTSUP,
  removexattr: Errno.ENOTSUP,
  lseek: Errno.EINVAL,
  fallocate: Errno.ENOTSUP,
  copyFileRange: Errno.ENOTSUP,
  tmpfile: Errno.ENOTSUP,
  syncfs: Exit.void,
  statfs: Exit.succeed({ blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0, bsize: 4096, namelen: 255, frsize: 4096 }),
  rename: Errno.EINVAL,
  link: Errno.EPERM
}

/** What stands in for an operation that is not there. */
export const lacking = (name: Op): Answer => standIns[name] ?? Errno.ENOSYS

const isEnosys = (error: unknown): boolean => typeof error === "object" && error !== null && "_tag" in error && error._tag === "ENOSYS"

/** An answer that may be ENOSYS, which the kernel must not see. */
export const withoutEnosys = (name: Op, answer: Answer): Answer => {
  const instead = standIns[name]
  if (instead === undefined) return answer
  if (!Exit.isExit(answer)) return Effect.catch(answer, (error) => isEnosys(error) ? instead : Effect.fail(error))
  if (Exit.isSuccess(answer)) return answer
  const error = Cause.findErrorOption(answer.cause)
  return error._tag === "Some" && isEnosys(error.value) ? instead : answer
}
