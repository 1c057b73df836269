/** Operations on names, by path: lookup and creation here, removal and renaming beside. */
import type { Entry, Name, U64 } from "@bickford/protocol"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import { permissionBits, S_IFLNK } from "../posix/linux.ts"
import { checked, forms } from "./answers.ts"
import { makeHiding } from "./hiding.ts"
import { nameOf, nameText } from "./node.ts"
import { andThen, map, optional, orElse, type Outcome } from "./outcome.ts"
import { removalOperations } from "./removalOperations.ts"
import { renameOperations } from "./renameOperations.ts"
import type { Served } from "./served.ts"

export const namespaceOperations = <H>(served: Served<H>) => {
  const { at, attributes, callbacks, entryOf, inside, nodes } = served
  const hiding = makeHiding(served)

  /** Makes something under a name that was free, and tells the kernel of it. */
  const make = (
    nodeid: U64,
    name: Name,
    context: RequestContext,
    create: (path: string) => Outcome<void>
  ): Outcome<Entry> =>
    inside(nodeid, name, (path, parent, text) =>
      andThen(create(path), () =>
        map(attributes(path, context), (found) => {
          nodes.remove(parent, text)
          return entryOf(nodes.enter(parent, text, found), found)
        })
      )
    )

  return {
    lookup: ({ name, nodeid }, context) =>
      inside(nodeid, name, (path, parent, text) => {
        const before = parent.children.get(text)
        return orElse(
          map(attributes(path, context), (found) => entryOf(nodes.enter(parent, text, found), found)),
          (error) => {
            // It went by a way of its own.
            if (error._tag === "ENOENT" && before !== undefined && parent.children.get(text) === before)
              nodes.remove(parent, text)
            return Exit.fail(error)
          }
        )
      }),
    forget: (nodeid, _nlookup, left) => {
      const node = nodes.get(nodeid)
      if (node === undefined || left > 0) return
      node.known = false
      nodes.drop(node)
    },

    readlink: ({ nodeid }, context) =>
      at(nodeid, (path, { type }) =>
        type === S_IFLNK
          ? map(checked(optional(callbacks.readlink, path, context), "readlink", path, forms.target), nameOf)
          : Errno.EINVAL
      ),
    symlink: ({ name, nodeid, target }, context) =>
      make(nodeid, name, context, (path) => optional(callbacks.symlink, nameText(target), path, context)),
    mknod: ({ mode, name, nodeid, rdev }, context) =>
      make(nodeid, name, context, (path) => optional(callbacks.mknod, path, mode, rdev, context)),
    mkdir: ({ mode, name, nodeid }, context) =>
      make(nodeid, name, context, (path) => optional(callbacks.mkdir, path, mode & permissionBits, context)),

    ...removalOperations(served, hiding),
    ...renameOperations(served, hiding)
  } satisfies Backend
}
