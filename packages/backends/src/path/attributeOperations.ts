/** GETATTR and SETATTR, by path; of a removed file by one of its handles. */
import { setattrValid as fattr, type SetattrRequest, type Timespec } from "@bickford/protocol"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import { hasValidTimes } from "../posix/givenTimes.ts"
import { permissionBits } from "../posix/linux.ts"
import { systemClock } from "../posix/clock.ts"
import { checked, forms } from "./answers.ts"
import type { PathAttributes } from "./callbacks.ts"
import type { PathHandles } from "./handles.ts"
import type { PathNode } from "./nodes.ts"
import { andThen, map, optional, orTooLarge, type Outcome } from "./outcome.ts"
import type { Served } from "./served.ts"

const done: Outcome<void> = Exit.void
const owners = fattr.FATTR_UID | fattr.FATTR_GID
const times = fattr.FATTR_ATIME | fattr.FATTR_MTIME

/** What a SETATTR asks for, by the callback that does it; what it does not ask for is undefined. */
interface Changes {
  readonly mode: number | undefined
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
  readonly size: SetattrRequest["size"] | undefined
  readonly times: { readonly atime: Timespec | undefined; readonly mtime: Timespec | undefined } | undefined
}

const changesOf = (
  { atime, mode, mtime, newGid, newUid, size, valid }: SetattrRequest,
  now: () => Timespec
): Changes => {
  const has = (flags: number): boolean => (valid & flags) !== 0
  const given = (set: number, setNow: number, time: Timespec): Timespec | undefined =>
    has(set) ? (has(setNow) ? now() : time) : undefined
  return {
    mode: has(fattr.FATTR_MODE) ? mode & permissionBits : undefined,
    // -1 leaves one as it is, as in chown(2).
    owner: has(owners)
      ? { uid: has(fattr.FATTR_UID) ? newUid : -1, gid: has(fattr.FATTR_GID) ? newGid : -1 }
      : undefined,
    size: has(fattr.FATTR_SIZE) ? size : undefined,
    times: has(times)
      ? {
          atime: given(fattr.FATTR_ATIME, fattr.FATTR_ATIME_NOW, atime),
          mtime: given(fattr.FATTR_MTIME, fattr.FATTR_MTIME_NOW, mtime)
        }
      : undefined
  }
}

export const attributeOperations = <H>(
  { at, attributes, attrReply, callbacks, nodes }: Served<H>,
  handles: PathHandles<H>
) => {
  const now = systemClock()

  /** A removed file's attributes: as the callbacks have them, or else as it was left, with what was set since. */
  const ofRemoved = (node: PathNode, handle: H, context: RequestContext): Outcome<PathAttributes> => {
    const { fgetattr } = callbacks
    const found =
      fgetattr === undefined
        ? node.last === undefined
          ? Errno.ENOENT
          : Exit.succeed(node.last)
        : checked(optional(fgetattr, handle, context), "fgetattr", undefined, forms.attributes)
    return map(found, (attributes) => ({ ...attributes, ...node.set }))
  }

  /** Nobody but those who have it open can see such a file: what no callback takes is kept here for them. */
  const keep = (node: PathNode, set: Partial<PathAttributes>): void => {
    node.set = { ...node.set, ...set, ctime: now() }
  }

  const setRemoved = (
    node: PathNode,
    handle: H,
    { mode, owner, size, times: given }: Changes,
    context: RequestContext
  ): Outcome<void> => {
    const { fchmod, fchown, ftruncate, futimens } = callbacks
    const steps: Array<() => Outcome<void>> = []
    if (mode !== undefined) {
      steps.push(() =>
        fchmod === undefined
          ? Exit.succeed(keep(node, { mode: node.type | mode }))
          : optional(fchmod, handle, mode, context)
      )
    }
    if (owner !== undefined) {
      const { gid, uid } = owner
      const set = { ...(uid === -1 ? {} : { uid }), ...(gid === -1 ? {} : { gid }) }
      steps.push(() =>
        fchown === undefined ? Exit.succeed(keep(node, set)) : optional(fchown, handle, uid, gid, context)
      )
    }
    if (size !== undefined) steps.push(() => orTooLarge(size, optional(ftruncate, handle, size, context)))
    if (given !== undefined) {
      const { atime, mtime } = given
      const set = { ...(atime && { atime }), ...(mtime && { mtime }) }
      steps.push(() =>
        futimens === undefined ? Exit.succeed(keep(node, set)) : optional(futimens, handle, atime, mtime, context)
      )
    }
    return steps.reduce((before, step) => andThen(before, step), done)
  }

  const setAt = (
    path: string,
    { mode, owner, size, times: given }: Changes,
    context: RequestContext
  ): Outcome<void> => {
    let applied = done
    if (mode !== undefined) applied = optional(callbacks.chmod, path, mode, context)
    if (owner !== undefined)
      applied = andThen(applied, () => optional(callbacks.chown, path, owner.uid, owner.gid, context))
    if (size !== undefined)
      applied = andThen(applied, () => orTooLarge(size, optional(callbacks.truncate, path, size, context)))
    if (given !== undefined)
      applied = andThen(applied, () => optional(callbacks.utimens, path, given.atime, given.mtime, context))
    return applied
  }

  return {
    getattr: ({ nodeid }, context) => {
      const node = nodes.get(nodeid)
      const open = handles.removed(node)
      if (node !== undefined && open !== undefined)
        return map(ofRemoved(node, open.handle, context), (found) => attrReply(node, found))
      if (node?.last !== undefined) return Exit.succeed(attrReply(node, node.last))
      return at(nodeid, (path, living) => map(attributes(path, context), (found) => attrReply(living, found)))
    },

    setattr: (request, context) => {
      if (!hasValidTimes(request)) return Errno.EINVAL
      const node = nodes.get(request.nodeid)
      const open = handles.removed(node)
      const changes = changesOf(request, now)
      if (node !== undefined && open !== undefined) {
        return andThen(setRemoved(node, open.handle, changes, context), () =>
          map(ofRemoved(node, open.handle, context), (found) => attrReply(node, found))
        )
      }
      return at(request.nodeid, (path, living) =>
        andThen(setAt(path, changes, context), () =>
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
