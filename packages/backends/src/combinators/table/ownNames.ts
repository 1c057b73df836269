/** What the table itself says of a request. */
import { type OperationName, operations as operationTable, type Request } from "@bickford/protocol"
import { Errno, type RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import { O_EXCL } from "../../posix/linux.ts"
import { childOf } from "./folders.ts"
import type { Answer } from "./lacking.ts"
import { attributesOf, entryOf } from "./listing.ts"
import type { Location, Places } from "./places.ts"

/** True of operations that would put something under a name. */
const takes = (op: OperationName): boolean =>
  operationTable[op].changesNamespace &&
  (operationTable[op].reply === "entry" || operationTable[op].reply === "created")

/** Answers what concerns the table's own names; undefined: the request is a backend's. */
export const answerHere = (
  places: Places,
  request: Request,
  { folder, space }: Location,
  context: RequestContext
): Answer | undefined => {
  const child = "name" in request ? childOf(folder, request.name) : undefined
  const newParent = request.op === "rename" ? places.locate(request.newdir) : undefined
  const newChild =
    request.op === "rename"
      ? childOf(newParent?.folder, request.newname)
      : request.op === "link"
        ? childOf(folder, request.newname)
        : undefined
  if (child !== undefined && request.op === "lookup") return entryOf(places, child, request, context)
  if (request.op === "create" && child !== undefined)
    return (request.flags & O_EXCL) === 0 ? Errno.EISDIR : Errno.EEXIST
  if ((child !== undefined || newChild !== undefined) && takes(request.op)) return Errno.EEXIST
  if (
    (child !== undefined && (request.op === "unlink" || request.op === "rmdir" || request.op === "rename")) ||
    newChild !== undefined
  )
    return Errno.EBUSY
  if (newParent !== undefined && newParent.space !== space) return Errno.EXDEV
  if (request.op === "link" && places.locate(request.oldnodeid).space !== space) return Errno.EXDEV
  if (request.op === "copyFileRange" && places.locate(request.nodeidOut).space !== space) return Errno.EXDEV
  if (space !== 0) return undefined
  if (folder === undefined) return Errno.ESTALE
  if (request.op === "lookup") return Errno.ENOENT
  if (request.op === "getattr") return Exit.succeed(attributesOf(places, folder))
  return places.lacking(request)
}
