/** Operations on names: lookup, creation, removal, renaming, links. */
import type { Entry, Name, U64 } from "@bickford/protocol"
import { type Backend, Errno, type RequestContext } from "@bickford/session"
import * as Exit from "effect/Exit"
import { permissionBits, RENAME_EXCHANGE, RENAME_NOREPLACE, S_IFDIR, S_IFLNK } from "../posix/linux.ts"
import { nameTooLong } from "../posix/names.ts"
import { checked, forms } from "./answers.ts"
import { nameOf, nameText, type PathNode } from "./nodes.ts"
import { andThen, map, onFailure, optional, orElse, type Outcome } from "./outcome.ts"
import type { Served } from "./served.ts"

const done: Outcome<void> = Exit.void

/** The name that an open file has after it was removed, as in libfuse, until it is closed. */
const hiddenPrefix = ".fuse_hidden"

export const namespaceOperations = <H>({ at, attributes, callbacks, entryOf, inside, locks, nodes }: Served<H>) => {
  let hidden = 0

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

  /** Whether `node` is `other` or lies above it. */
  const isAbove = (node: PathNode | undefined, other: PathNode): boolean =>
    node !== undefined && nodes.above(other).includes(node)

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

    unlink: ({ name, nodeid }, context) =>
      inside(
        nodeid,
        name,
        (path, parent, text) => {
          const node = parent.children.get(text)
          if (node !== undefined && mustHide(node)) return map(hide(parent, text, node, path, context), () => undefined)
          if (
            node === undefined ||
            node.handles.size === 0 ||
            callbacks.fgetattr !== undefined ||
            node.names.length > 1
          ) {
            return map(optional(callbacks.unlink, path, context), () => nodes.remove(parent, text))
          }
          // Nothing can be asked about it once it is gone, and those who have it open still ask.
          return andThen(attributes(path, context), (found) =>
            map(optional(callbacks.unlink, path, context), () => {
              node.last = { ...found, nlink: 0 }
              nodes.remove(parent, text)
            })
          )
        },
        "moves"
      ),
    rmdir: ({ name, nodeid }, context) =>
      inside(
        nodeid,
        name,
        (path, parent, text) => {
          const node = parent.children.get(text)
          return andThen(attributes(path, context), (found) =>
            map(
              emptied(node, parent, context, () => optional(callbacks.rmdir, path, context)),
              () => {
                if (node !== undefined) node.last = { ...found, nlink: 0 }
                nodes.remove(parent, text)
              }
            )
          )
        },
        "moves"
      ),

    link: ({ newname, nodeid, oldnodeid }, context) => {
      const node = nodes.get(oldnodeid)
      const parent = nodes.get(nodeid)
      if (node === undefined || parent === undefined) return Errno.ESTALE
      // link(2). A directory below itself would have no path that ends.
      if (node.type === S_IFDIR) return Errno.EPERM
      if (nameTooLong(newname)) return Errno.ENAMETOOLONG
      return locks(
        () => ({ stay: [node, parent], move: [] }),
        () => {
          const text = nameText(newname)
          const path = nodes.path(node)
          const newPath = nodes.pathOf(parent, text)
          if (path === undefined || newPath === undefined) return Errno.ENOENT
          return andThen(optional(callbacks.link, path, newPath, context), () =>
            map(attributes(newPath, context), (found) => {
              nodes.link(node, parent, text)
              return entryOf(node, found)
            })
          )
        }
      )
    },

    rename: ({ flags, name, newdir, newname, nodeid }, context) => {
      const parent = nodes.get(nodeid)
      const newParent = nodes.get(newdir)
      if (parent === undefined || newParent === undefined) return Errno.ESTALE
      if (nameTooLong(name) || nameTooLong(newname)) return Errno.ENAMETOOLONG
      const from = nameText(name)
      const to = nameText(newname)
      const exchange = flags === RENAME_EXCHANGE
      if ((flags & ~RENAME_NOREPLACE) !== 0 && (!exchange || callbacks.exchange === undefined)) return Errno.EINVAL
      const moved = () => parent.children.get(from)
      const replaced = () => newParent.children.get(to)
      const claim = () => {
        const move = [moved(), replaced()].filter((node) => node !== undefined)
        return { stay: [parent, newParent], move: move[0] === move[1] ? move.slice(1) : move }
      }
      if (isAbove(moved(), newParent) || isAbove(replaced(), parent)) return Errno.EINVAL
      return locks(claim, () => {
        const path = nodes.pathOf(parent, from)
        const newPath = nodes.pathOf(newParent, to)
        if (path === undefined || newPath === undefined) return Errno.ENOENT
        if (exchange) {
          return map(optional(callbacks.exchange, path, newPath, context), () =>
            nodes.exchange(parent, from, newParent, to)
          )
        }
        const isFree =
          (flags & RENAME_NOREPLACE) === 0
            ? done
            : orElse(
                andThen(attributes(newPath, context), () => Errno.EEXIST),
                (error) => (error._tag === "ENOENT" ? done : Exit.fail(error))
              )
        const rename = (): Outcome<void> =>
          map(
            emptied(replaced(), newParent, context, () => optional(callbacks.rename, path, newPath, context)),
            () => nodes.rename(parent, from, newParent, to)
          )
        return andThen(isFree, () => {
          const target = replaced()
          if (target === undefined || !mustHide(target) || target === moved()) return rename()
          return andThen(hide(newParent, to, target, newPath, context), (undo) => onFailure(rename(), undo))
        })
      })
    }
  } satisfies Backend
}
