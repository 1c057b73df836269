/** LINK and RENAME, by path. */
import { type Backend, Errno } from "@bickford/session"
import * as Exit from "effect/Exit"
import { RENAME_EXCHANGE, RENAME_NOREPLACE, S_IFDIR } from "../posix/linux.ts"
import { nameTooLong } from "../posix/names.ts"
import type { Hiding } from "./hiding.ts"
import { nameText, type PathNode } from "./node.ts"
import { andThen, map, onFailure, optional, orElse, type Outcome } from "./outcome.ts"
import type { Served } from "./served.ts"

const done: Outcome<void> = Exit.void

export const renameOperations = <H>(
  { attributes, callbacks, entryOf, locks, nodes }: Served<H>,
  { emptied, hide, mustHide }: Hiding
) => {
  /** Whether `node` is `other` or lies above it. */
  const isAbove = (node: PathNode | undefined, other: PathNode): boolean =>
    node !== undefined && nodes.above(other).includes(node)

  return {
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
