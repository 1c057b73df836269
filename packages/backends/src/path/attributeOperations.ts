/** GETATTR and SETATTR, by path; of a removed file by one of its handles. */
import { setattrValid } from "@bickford/protocol"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import { hasValidTimes } from "../posix/givenTimes.ts"
import { systemClock } from "../posix/clock.ts"
import { type Changes, changesOf } from "./attributeChanges.ts"
import type { PathHandles } from "./handles.ts"
import { andThen, map, optional, orTooLarge, type Outcome } from "./outcome.ts"
import { makeRemovedAttributes } from "./removedAttributes.ts"
import type { Served } from "./served.ts"

const done: Outcome<void> = Exit.void

export const attributeOperations = <H>(served: Served<H>, handles: PathHandles<H>) => {
  const { at, attributes, attrReply, callbacks, nodes } = served
  const now = systemClock()
  const removed = makeRemovedAttributes(served, now)

  const setAt = (
    path: string,
    { mode, owner, size, times: given }: Changes,
    context: RequestContext,
    handle: H | undefined
  ): Outcome<void> => {
    let applied = done
    if (mode !== undefined) applied = optional(callbacks.chmod, path, mode, context)
    if (owner !== undefined)
      applied = andThen(applied, () => optional(callbacks.chown, path, owner.uid, owner.gid, context))
    if (size !== undefined)
      applied = andThen(applied, () => orTooLarge(size, optional(callbacks.truncate, path, size, context, handle)))
    if (given !== undefined)
      applied = andThen(applied, () => optional(callbacks.utimens, path, given.atime, given.mtime, context))
    return applied
  }

  return {
    getattr: ({ nodeid }, context) => {
      const node = nodes.get(nodeid)
      const open = handles.removed(node)
      if (node !== undefined && open !== undefined)
        return map(removed.get(node, open.handle, context), (found) => attrReply(node, found))
      if (node?.last !== undefined) return Exit.succeed(attrReply(node, node.last))
      return at(nodeid, (path, living) => map(attributes(path, context), (found) => attrReply(living, found)))
    },

    setattr: (request, context) => {
      if (!hasValidTimes(request)) return Errno.EINVAL
      const node = nodes.get(request.nodeid)
      const open = handles.removed(node)
      const changes = changesOf(request, now)
      if (node !== undefined && open !== undefined) {
        return andThen(removed.set(node, open.handle, changes, context), () =>
          map(removed.get(node, open.handle, context), (found) => attrReply(node, found))
        )
      }
      const handle = (request.valid & setattrValid.FATTR_FH) === 0 ? undefined : handles.handle(request.fh)
      return at(request.nodeid, (path, living) =>
        andThen(setAt(path, changes, context, handle), () =>
          map(attributes(path, context), (found) => attrReply(living, found))
        )
      )
    },

    ...(callbacks.access === undefined
      ? {}
      : {
          access: ({ mask, nodeid }, context) => at(nodeid, (path) => optional(callbacks.access, path, mask, context))
        })
  } satisfies Backend
}
