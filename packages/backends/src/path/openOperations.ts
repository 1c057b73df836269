/** OPEN and CREATE, by path. */
import { type Created, type Open } from "@bickford/protocol"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { O_ACCMODE, O_EXCL, O_RDWR, permissionBits, S_IFREG } from "../posix/linux.ts"
import type { PathHandles } from "./handles.ts"
import type { PathNode } from "./node.ts"
import { andThen, type Answer, map, onFailure, optional, outcome, type Outcome, outcomeOrLate } from "./outcome.ts"
import type { Served } from "./served.ts"

const done: Outcome<void> = Exit.void

export const openOperations = <H>(
  { at, attributes, callbacks, entryOf, inside, nodes }: Served<H>,
  { closed, handlesOf, register, removed }: PathHandles<H>
) => {
  /** Opens, and goes on with the handle; what fails then, or is waited for no more, leaves nothing open. */
  const acquire = <A>(path: string, open: () => Answer<H>, then: (handle: H) => Outcome<A>): Outcome<A> =>
    andThen(
      outcomeOrLate(open, (handle) => void Effect.runFork(Effect.ignore(closed(handle, path)))),
      (handle) => onFailure(then(handle), () => closed(handle, path))
    )

  // Without `open` and `create` there are no handles, and H is undefined.
  const noHandle = undefined as H
  const openAt = (path: string, flags: number, context: RequestContext): Answer<H> =>
    callbacks.open === undefined ? noHandle : callbacks.open(path, flags, context)

  /** Opens a removed file once more, by /proc/self/fd/N: without a callback for it, by a handle that allows as much. */
  const openRemoved = (node: PathNode, flags: number, context: RequestContext): Outcome<Open> => {
    const wanted = flags & O_ACCMODE
    const open = handlesOf(node)
    const { reopen } = callbacks
    const [any] = open
    if (reopen !== undefined && any !== undefined) {
      return map(
        outcome(() => reopen(any.handle, flags, context)),
        (handle) => register(node, handle, flags)
      )
    }
    const shared = open.find((one) => (one.flags & O_ACCMODE) === O_RDWR || (one.flags & O_ACCMODE) === wanted)
    return shared === undefined ? Errno.ENOENT : Exit.succeed(register(node, shared.handle, shared.flags, shared.users))
  }

  return {
    open: ({ flags, nodeid }, context) => {
      const known = nodes.get(nodeid)
      if (known !== undefined && removed(known) !== undefined) return openRemoved(known, flags, context)
      return at(nodeid, (path, node) =>
        acquire(
          path,
          () => openAt(path, flags, context),
          (handle) => Exit.succeed(register(node, handle, flags))
        )
      )
    },

    create: ({ flags, mode, name, nodeid }, context) =>
      inside(nodeid, name, (path, parent, text) => {
        const { create } = callbacks
        const permissions = mode & permissionBits
        const made = create === undefined ? optional(callbacks.mknod, path, S_IFREG | permissions, 0, context) : done
        const open = () =>
          create === undefined ? openAt(path, flags, context) : create(path, permissions, flags, context)
        return andThen(made, () =>
          acquire(path, open, (handle) =>
            map(attributes(path, context), (found): Created => {
              // A file of this name that was known and is there no more.
              if ((flags & O_EXCL) !== 0) nodes.remove(parent, text)
              const node = nodes.enter(parent, text, found)
              const entry = entryOf(node, found)
              return { entry, open: register(node, handle, flags) }
            })
          )
        )
      })
  } satisfies Backend
}
