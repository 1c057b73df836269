/** Attributes of a removed file that is still open: it has no path, so they are read and set by one of its handles. */
import type { Timespec } from "@bickford/protocol"
import { Errno, type RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import { checked, forms } from "./answers.ts"
import type { Changes } from "./attributeChanges.ts"
import type { PathAttributes } from "./callbacks.ts"
import type { PathNode } from "./node.ts"
import { andThen, map, optional, orTooLarge, type Outcome } from "./outcome.ts"
import type { Served } from "./served.ts"

const done: Outcome<void> = Exit.void

export const makeRemovedAttributes = <H>({ callbacks }: Served<H>, now: () => Timespec) => {
  /** A removed file's attributes: as the callbacks have them, or else as it was left, with what was set since. */
  const get = (node: PathNode, handle: H, context: RequestContext): Outcome<PathAttributes> => {
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

  const set = (
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
      const kept = { ...(uid === -1 ? {} : { uid }), ...(gid === -1 ? {} : { gid }) }
      steps.push(() =>
        fchown === undefined ? Exit.succeed(keep(node, kept)) : optional(fchown, handle, uid, gid, context)
      )
    }
    if (size !== undefined) steps.push(() => orTooLarge(size, optional(ftruncate, handle, size, context)))
    if (given !== undefined) {
      const { atime, mtime } = given
      const kept = { ...(atime && { atime }), ...(mtime && { mtime }) }
      steps.push(() =>
        futimens === undefined ? Exit.succeed(keep(node, kept)) : optional(futimens, handle, atime, mtime, context)
      )
    }
    return steps.reduce((before, step) => andThen(before, step), done)
  }

  return { get, set }
}
