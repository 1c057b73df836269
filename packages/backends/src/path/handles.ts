/** The table of open files: every `open` or `create` that succeeded has one entry here, and one `release`. */
import { type Open, openReplyFlags, type U64 } from "@bickford/protocol"
import { Errno } from "@bickford/session"
import * as Exit from "effect/Exit"
import { O_ACCMODE } from "../posix/linux.ts"
import type { PathNode } from "./node.ts"
import { andThen, ensuring, map, orElse, outcome, type Outcome } from "./outcome.ts"
import type { Served } from "./served.ts"

export interface Handle<H> {
  readonly handle: H
  readonly node: PathNode
  /** As it was opened, open(2)'s. */
  readonly flags: number
  /** How many of the kernel's handles share it; the last one's release is the callbacks'. */
  readonly users: { count: number }
}

const done: Outcome<void> = Exit.void

export const makeHandles = <H>({ callbacks, locks, nodes }: Served<H>) => {
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

  return {
    closed,
    /** What `open` or `create` gave for an open file. */
    handle: (fh: U64): H | undefined => handles.get(fh)?.handle,
    register,
    release,
    use,
    handlesOf,
    removed,
    /** Releases what an unmount leaves open. */
    releaseAll: (): Outcome<void> =>
      Array.from(handles.keys()).reduce((before, fh) => andThen(before, () => release(fh)), done)
  }
}

export type PathHandles<H> = ReturnType<typeof makeHandles<H>>
