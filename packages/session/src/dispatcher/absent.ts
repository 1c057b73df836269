/** What is answered for operations that a backend does not have, as the table of operations says: that of libfuse's low-level API. */
import {
  type EmptyReplyKind,
  openFlags,
  type Negotiated,
  operations,
  operationsWhere,
  type BackendOperation,
  pollEvents,
  type Request
} from "@bickford/protocol"
import type { OpcodeRow } from "@bickford/protocol/codec"
import * as Exit from "effect/Exit"
import { Errno } from "../errno.ts"

type Answer = Exit.Exit<unknown, unknown>

const { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } = pollEvents

/** Success with nothing in it, by the kind of reply: libfuse's, and the kernel's own for POLL. */
const empty: Readonly<Record<string, Answer>> = {
  nothing: Exit.void,
  opened: Exit.succeed({ fh: 0, openFlags: 0 }),
  usage: Exit.succeed({ blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0, bsize: 512, namelen: 255, frsize: 512 }),
  events: Exit.succeed(POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)
} satisfies Record<EmptyReplyKind, Answer>

const isForWriting = (flags: number): boolean => (flags & openFlags.O_ACCMODE) !== openFlags.O_RDONLY

const asIsSaid = (request: Request): Answer => {
  const { reply, whenAbsent, whenAbsentWithFlags } = operations[request.op]
  const isFlagged = whenAbsentWithFlags !== undefined && "flags" in request && request.flags !== 0
  const said = isFlagged ? whenAbsentWithFlags : whenAbsent
  return (said === "empty" ? empty[reply] : Errno[said]) ?? Errno.ENOSYS
}

/**
 * Answers what a backend lacks so that its caller meets what the table says, and others that the same connection serves
 * are still asked: never with an ENOSYS that the kernel would remember. `has` says which operations it has; with none that
 * changes anything it is read-only, and a change is EROFS.
 */
export const standInFor = (has: (operation: BackendOperation) => boolean): ((request: Request) => Answer) => {
  const readOnly = !operationsWhere(({ mutates }) => mutates).some(has)
  return (request) => {
    if (readOnly && operations[request.op].mutates) return Errno.EROFS
    return readOnly && request.op === "open" && isForWriting(request.flags) ? Errno.EROFS : asIsSaid(request)
  }
}

type Answers = (row: OpcodeRow, request: Request, negotiated: Negotiated | undefined) => Answer

/** Answers what the only backend of a connection lacks: as `standInFor`, but with ENOSYS where the kernel remembers it. */
export const makeAbsent = (has: (operation: BackendOperation) => boolean): Answers => {
  const standIn = standInFor(has)
  return (row, request, negotiated) => {
    const answer = standIn(request)
    const isRemembered = (negotiated?.minor ?? 0) >= row.enosysIsStickySince
    // A change of what is read-only is EROFS, whatever the kernel would make of ENOSYS; OPEN it does without.
    return isRemembered && (answer !== Errno.EROFS || row.op === "open") ? Errno.ENOSYS : answer
  }
}
