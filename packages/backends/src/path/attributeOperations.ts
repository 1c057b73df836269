/** GETATTR and SETATTR, by path; of a removed file by one of its handles. */
import { setattrValid as fattr, type Timespec } from "@bickford/protocol"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import { permissionBits } from "../posix/linux.ts"
import { systemClock } from "../posix/clock.ts"
import type { PathAttributes } from "./callbacks.ts"
import type { PathHandles } from "./handles.ts"
import type { PathNode } from "./nodes.ts"
import { andThen, map, optional, type Outcome } from "./outcome.ts"
import type { Served } from "./served.ts"

const done: Outcome<void> = Exit.void
const owners = fattr.FATTR_UID | fattr.FATTR_GID
const times = fattr.FATTR_ATIME | fattr.FATTR_MTIME

export const attributeOperations = <H>({ at, attributes, attrReply, callbacks, nodes }: Served<H>, handles: PathHandles<H>) => {
  const now = systemClock()

  /** A removed file that lives on in its handles, where the callbacks have it so. */
  const removed = (node: PathNode | undefined): H | undefined => {
    if (node === undefined || callbacks.fgetattr === undefined || nodes.path(node) !== undefined) return undefined
    return handles.of(node)?.handle
  }
  const ofRemoved = (handle: H, context: RequestContext): Outcome<PathAttributes> => optional(callbacks.fgetattr, handle, context)

  return {
    getattr: ({ nodeid }, context) => {
      const node = nodes.get(nodeid)
      const handle = removed(node)
      if (node !== undefined && handle !== undefined) return map(ofRemoved(handle, context), (found) => attrReply(node, found))
      if (node?.last !== undefined) return Exit.succeed(attrReply(node, node.last))
      return at(nodeid, (path, living) => map(attributes(path, context), (found) => attrReply(living, found)))
    },

    setattr: (request, context) => {
      const { nodeid, valid } = request
      const node = nodes.get(nodeid)
      const handle = removed(node)
      if (node !== undefined && handle !== undefined) {
        if ((valid & ~(fattr.FATTR_SIZE | fattr.FATTR_FH | fattr.FATTR_LOCKOWNER)) !== 0) return Errno.ENOENT
        const cut = (valid & fattr.FATTR_SIZE) === 0 ? done : optional(callbacks.ftruncate, handle, request.size, context)
        return andThen(cut, () => map(ofRemoved(handle, context), (found) => attrReply(node, found)))
      }
      return at(nodeid, (path, living) => {
        let applied = done
        const step = (flags: number, apply: () => Outcome<void>): void => {
          if ((valid & flags) !== 0) applied = andThen(applied, apply)
        }
        step(fattr.FATTR_MODE, () => optional(callbacks.chmod, path, request.mode & permissionBits, context))
        step(owners, () => {
          const uid = (valid & fattr.FATTR_UID) === 0 ? -1 : request.newUid
          const gid = (valid & fattr.FATTR_GID) === 0 ? -1 : request.newGid
          return optional(callbacks.chown, path, uid, gid, context)
        })
        step(fattr.FATTR_SIZE, () => optional(callbacks.truncate, path, request.size, context))
        step(times, () => {
          const given = (set: number, setNow: number, time: Timespec): Timespec | undefined => {
            if ((valid & set) === 0) return undefined
            return (valid & setNow) === 0 ? time : now()
          }
          const atime = given(fattr.FATTR_ATIME, fattr.FATTR_ATIME_NOW, request.atime)
          const mtime = given(fattr.FATTR_MTIME, fattr.FATTR_MTIME_NOW, request.mtime)
          return optional(callbacks.utimens, path, atime, mtime, context)
        })
        return andThen(applied, () => map(attributes(path, context), (found) => attrReply(living, found)))
      })
    },

    ...(callbacks.access === undefined ? {} : {
      access: ({ mask, nodeid }, context) => at(nodeid, (path) => optional(callbacks.access, path, mask, context))
    })
  } satisfies Backend
}
