/** Open files: every `open` or `create` that succeeded has one `release`. */
import { type Created, type Open, openReplyFlags, type U64 } from "@bickford/protocol"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { O_EXCL, permissionBits, S_IFREG } from "../posix/linux.ts"
import { bytes } from "./data.ts"
import type { PathNode } from "./nodes.ts"
import { andThen, type Answer, ensuring, map, onFailure, optional, orElse, outcome, type Outcome, outcomeOrLate } from "./outcome.ts"
import type { Served } from "./served.ts"

interface Handle<H> {
  readonly handle: H
  readonly node: PathNode
}

const done: Outcome<void> = Exit.void

export const makeHandles = <H>({ at, attributes, callbacks, entryOf, inside, locks, nodes }: Served<H>) => {
  const handles = new Map<U64, Handle<H>>()
  let last = 0

  const closed = (handle: H, path: string | undefined): Outcome<void> =>
    outcome(() => callbacks.release?.(handle, path))

  const register = (node: PathNode, handle: H): Open => {
    const fh = ++last
    handles.set(fh, { handle, node })
    node.handles.add(fh)
    return { fh, openFlags: node.sizeless ? openReplyFlags.FOPEN_DIRECT_IO : 0 }
  }

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

  /** A file that has only a hidden name goes with its last handle. */
  const reap = (node: PathNode): Outcome<void> => {
    const { unlink } = callbacks
    const { removedBy } = node
    if (removedBy === undefined || node.handles.size > 1 || unlink === undefined) return done
    return locks(() => ({ stay: node.names.map(({ parent }) => parent), move: [node] }), () => {
      const [only] = node.names
      const path = nodes.path(node)
      if (only === undefined || path === undefined) return done
      return map(outcome(() => unlink(path, removedBy)), () => nodes.remove(only.parent, only.name))
    })
  }

  const release = (fh: U64): Outcome<void> => {
    const open = handles.get(fh)
    if (open === undefined) return done
    handles.delete(fh)
    const { handle, node } = open
    // Until all is done the node counts as open, so that nobody forgets its hidden name.
    return ensuring(andThen(orElse(closed(handle, nodes.path(node)), () => done), () => orElse(reap(node), () => done)), () => {
      node.handles.delete(Number(fh))
      nodes.drop(node)
    })
  }

  /** Works with an open file; its path is undefined once it is removed. */
  const use = <A>(fh: U64, then: (handle: H, path: string | undefined) => Outcome<A>): Outcome<A> => {
    const open = handles.get(fh)
    if (open === undefined) return Errno.EBADF
    const { handle, node } = open
    const path = nodes.path(node)
    // Where there are no handles the path is all that a callback has to go by.
    return callbacks.open === undefined ? locks(() => ({ stay: [node], move: [] }), () => then(handle, nodes.path(node))) : then(handle, path)
  }

  const operations = {
    open: ({ flags, nodeid }, context) =>
      at(nodeid, (path, node) =>
        acquire(path, () => openAt(path, flags, context), (handle) => Exit.succeed(register(node, handle)))),

    create: ({ flags, mode, name, nodeid }, context) =>
      inside(nodeid, name, (path, parent, text) => {
        const { create } = callbacks
        const permissions = mode & permissionBits
        const made = create === undefined ? optional(callbacks.mknod, path, S_IFREG | permissions, 0, context) : done
        const open = () => create === undefined ? openAt(path, flags, context) : create(path, permissions, flags, context)
        return andThen(made, () =>
          acquire(path, open, (handle) =>
            map(attributes(path, context), (found): Created => {
              // A file of this name that was known and is there no more.
              if ((flags & O_EXCL) !== 0) nodes.remove(parent, text)
              const node = nodes.enter(parent, text, found)
              const entry = entryOf(node, found)
              return { entry, open: register(node, handle) }
            })))
      }),

    read: ({ fh, offset, size }, context) =>
      use(fh, (handle, path) =>
        map(optional(callbacks.read, handle, size, offset, path, context), (data) => bytes(data).subarray(0, size))),
    write: ({ data, fh, offset }, context) =>
      use(fh, (handle, path) =>
        map(optional(callbacks.write, handle, data, offset, path, context), (written) => written ?? data.length)),
    flush: ({ fh }, context) => use(fh, (handle, path) => optional(callbacks.flush, handle, path, context)),
    fsync: ({ fh }, context) => use(fh, (handle, path) => optional(callbacks.fsync, handle, path, context)),
    fallocate: ({ fh, length, mode, offset }, context) =>
      use(fh, (handle, path) => optional(callbacks.fallocate, handle, mode, offset, length, path, context)),
    lseek: ({ fh, offset, whence }, context) => use(fh, (handle, path) => optional(callbacks.lseek, handle, offset, whence, path, context)),
    release: ({ fh }) => release(fh)
  } satisfies Backend

  return {
    operations,
    use,
    /** Any handle of a file. */
    of: (node: PathNode): Handle<H> | undefined => {
      const [fh] = node.handles
      return fh === undefined ? undefined : handles.get(fh)
    },
    /** Releases what an unmount leaves open. */
    releaseAll: (): Outcome<void> => Array.from(handles.keys()).reduce((before, fh) => andThen(before, () => release(fh)), done)
  }
}

export type PathHandles<H> = ReturnType<typeof makeHandles<H>>
