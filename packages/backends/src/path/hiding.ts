/**
 * Files that are removed, or replaced, while they are open: as in libfuse, such a file gets a hidden name until it is
 * closed, where the callbacks could not serve it without one. A directory that is to be removed may hide some.
 */
import { type RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import type { PathNode } from "./node.ts"
import { andThen, map, optional, orElse, type Outcome } from "./outcome.ts"
import type { Served } from "./served.ts"

const done: Outcome<void> = Exit.void

/** The name that an open file has after it was removed, as in libfuse, until it is closed. */
const hiddenPrefix = ".fuse_hidden"

export const makeHiding = <H>({ callbacks, nodes }: Served<H>) => {
  let hidden = 0

  /** Whether removing its name would take an open file from under its users. */
  const mustHide = (node: PathNode): boolean =>
    node.handles.size > 0 &&
    node.names.length === 1 &&
    callbacks.rename !== undefined &&
    callbacks.fgetattr === undefined

  const hiddenNameOf = (node: PathNode): string =>
    `${hiddenPrefix}${node.id.toString(16).padStart(8, "0")}${(++hidden).toString(16).padStart(8, "0")}`

  /** Renames an open file that is to be removed; gives how to undo it. */
  const hide = (
    parent: PathNode,
    name: string,
    node: PathNode,
    path: string,
    context: RequestContext
  ): Outcome<() => Outcome<void>> => {
    const hiddenName = hiddenNameOf(node)
    const hiddenPath = nodes.pathOf(parent, hiddenName) ?? hiddenName
    return map(optional(callbacks.rename, path, hiddenPath, context), () => {
      nodes.rename(parent, name, parent, hiddenName)
      const { removedBy } = node
      node.removedBy = context
      return () =>
        map(optional(callbacks.rename, hiddenPath, path, context), () => {
          nodes.rename(parent, hiddenName, parent, name)
          node.removedBy = removedBy
        })
    })
  }

  const hiddenIn = (node: PathNode | undefined): ReadonlyArray<readonly [string, PathNode]> =>
    node === undefined ? [] : Array.from(node.children).filter(([, child]) => child.removedBy !== undefined)

  /** Moves the removed files that a directory hides to the one above, which is to lose it. */
  const evacuate = (directory: PathNode, parent: PathNode, context: RequestContext): Outcome<void> =>
    hiddenIn(directory).reduce(
      (before, [name, node]) =>
        andThen(before, () => {
          const from = nodes.pathOf(directory, name)
          const hiddenName = hiddenNameOf(node)
          const to = nodes.pathOf(parent, hiddenName)
          if (from === undefined || to === undefined) return done
          return map(optional(callbacks.rename, from, to, context), () =>
            nodes.rename(directory, name, parent, hiddenName)
          )
        }),
      done
    )

  /** Does what a directory must be empty for; one that only hides removed files is. */
  const emptied = <A>(
    directory: PathNode | undefined,
    parent: PathNode,
    context: RequestContext,
    act: () => Outcome<A>
  ): Outcome<A> => {
    if (directory === undefined || hiddenIn(directory).length === 0) return act()
    return orElse(act(), (error) =>
      error._tag === "ENOTEMPTY" || error._tag === "EEXIST"
        ? andThen(
            orElse(evacuate(directory, parent, context), () => Exit.fail(error)),
            act
          )
        : Exit.fail(error)
    )
  }

  return { mustHide, hide, emptied }
}

export type Hiding = ReturnType<typeof makeHiding>
