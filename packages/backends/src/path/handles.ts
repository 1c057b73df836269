/** Open files: every `open` or `create` that succeeded has one `release`. */
import { type Created, type Open, openReplyFlags, type U64 } from "@bickford/protocol"
import { add } from "@bickford/protocol/arithmetic"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { O_ACCMODE, O_EXCL, O_RDWR, permissionBits, S_IFREG } from "../posix/linux.ts"
import { checked, forms } from "./answers.ts"
import type { PathAttributes, PathCallbacks } from "./callbacks.ts"
import { bytes } from "./data.ts"
import type { PathNode } from "./nodes.ts"
import {
  andThen,
  type Answer,
  ensuring,
  map,
  onFailure,
  optional,
  orElse,
  orTooLarge,
  outcome,
  type Outcome,
  outcomeOrLate
} from "./outcome.ts"
import type { Served } from "./served.ts"

interface Handle<H> {
  readonly handle: H
  readonly node: PathNode
  /** As it was opened, open(2)'s. */
  readonly flags: number
  /** How many of the kernel's handles share it; the last one's release is the callbacks'. */
  readonly users: { count: number }
}

const done: Outcome<void> = Exit.void
const nothing = new Uint8Array(0)

/** Whether a `read` can get at its sixth argument. */
const takesBuffer = (read: { readonly length: number }): boolean => read.length > 5 || read.length === 0

/** Calls `read`; zeroes stand for what it says is there and did not write. */
const readBy = <H>(
  read: NonNullable<PathCallbacks<H>["read"]>,
  handle: H,
  size: number,
  offset: U64,
  path: string | undefined,
  context: RequestContext
): Outcome<Uint8Array> => {
  const buffer = takesBuffer(read) ? new Uint8Array(size) : nothing
  return map(
    checked(
      outcome(() => read(handle, size, offset, path, context, buffer)),
      "read",
      path,
      forms.read,
      size
    ),
    (answer) => {
      if (typeof answer !== "number") return bytes(answer).subarray(0, size)
      return buffer.length === size ? buffer.subarray(0, answer) : new Uint8Array(answer)
    }
  )
}

/** A removed file's attributes, after a write up to `end`. */
const grown = (attributes: PathAttributes, end: U64): PathAttributes =>
  attributes.size === undefined || attributes.size >= end ? attributes : { ...attributes, size: end }

export const makeHandles = <H>({ at, attributes, callbacks, entryOf, inside, locks, nodes }: Served<H>) => {
  const handles = new Map<U64, Handle<H>>()
  let last = 0

  const closed = (handle: H, path: string | undefined): Outcome<void> =>
    outcome(() => callbacks.release?.(handle, path))

  const register = (node: PathNode, handle: H, flags: number, users = { count: 0 }): Open => {
    const fh = ++last
    users.count++
    handles.set(fh, { handle, node, flags, users })
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
    return locks(
      () => ({ stay: node.names.map(({ parent }) => parent), move: [node] }),
      () => {
        const [only] = node.names
        const path = nodes.path(node)
        if (only === undefined || path === undefined) return done
        return map(
          outcome(() => unlink(path, removedBy)),
          () => nodes.remove(only.parent, only.name)
        )
      }
    )
  }

  const release = (fh: U64): Outcome<void> => {
    const open = handles.get(fh)
    if (open === undefined) return done
    handles.delete(fh)
    const { handle, node, users } = open
    const ended = --users.count > 0 ? done : closed(handle, nodes.path(node))
    // Until all is done the node counts as open, so that nobody forgets its hidden name.
    return ensuring(
      andThen(
        orElse(ended, () => done),
        () => orElse(reap(node), () => done)
      ),
      () => {
        node.handles.delete(Number(fh))
        nodes.drop(node)
      }
    )
  }

  /** Works with an open file; its path is undefined once it is removed. */
  const use = <A>(fh: U64, then: (handle: H, path: string | undefined, node: PathNode) => Outcome<A>): Outcome<A> => {
    const open = handles.get(fh)
    if (open === undefined) return Errno.EBADF
    const { handle, node } = open
    const path = nodes.path(node)
    // Where there are no handles the path is all that a callback has to go by.
    return callbacks.open === undefined
      ? locks(
          () => ({ stay: [node], move: [] }),
          () => then(handle, nodes.path(node), node)
        )
      : then(handle, path, node)
  }

  /** The handles of a file, those that may read and write first. */
  const handlesOf = (node: PathNode): ReadonlyArray<Handle<H>> =>
    Array.from(node.handles)
      .flatMap((fh) => handles.get(fh) ?? [])
      .sort((one, other) => (other.flags & O_ACCMODE) - (one.flags & O_ACCMODE))

  /** Any handle of a file that has no path any more. */
  const removed = (node: PathNode | undefined): Handle<H> | undefined =>
    node === undefined || node.handles.size === 0 || nodes.path(node) !== undefined ? undefined : handlesOf(node)[0]

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

  const operations = {
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
      }),

    read: ({ fh, offset, size }, context) =>
      use(fh, (handle, path) =>
        callbacks.read === undefined ? Errno.ENOSYS : readBy(callbacks.read, handle, size, offset, path, context)
      ),
    write: ({ data, fh, offset }, context) =>
      use(fh, (handle, path, node) =>
        map(
          checked(
            orTooLarge(offset, optional(callbacks.write, handle, data, offset, path, context)),
            "write",
            path,
            forms.write,
            data.length
          ),
          (written) => {
            const size = typeof written === "number" ? written : data.length
            if (node.last !== undefined) node.last = grown(node.last, add(offset, size))
            return size
          }
        )
      ),
    flush: ({ fh }, context) => use(fh, (handle, path) => optional(callbacks.flush, handle, path, context)),
    fsync: ({ fh }, context) => use(fh, (handle, path) => optional(callbacks.fsync, handle, path, context)),
    fallocate: ({ fh, length, mode, offset }, context) =>
      use(fh, (handle, path) =>
        orTooLarge(add(offset, length), optional(callbacks.fallocate, handle, mode, offset, length, path, context))
      ),
    lseek: ({ fh, offset, whence }, context) =>
      use(fh, (handle, path) =>
        checked(optional(callbacks.lseek, handle, offset, whence, path, context), "lseek", path, forms.offset)
      ),
    release: ({ fh }) => release(fh)
  } satisfies Backend

  return {
    operations,
    use,
    removed,
    /** Releases what an unmount leaves open. */
    releaseAll: (): Outcome<void> =>
      Array.from(handles.keys()).reduce((before, fh) => andThen(before, () => release(fh)), done)
  }
}

export type PathHandles<H> = ReturnType<typeof makeHandles<H>>
