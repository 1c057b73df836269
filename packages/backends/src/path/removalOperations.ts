/** UNLINK and RMDIR, by path. */
import type { Backend } from "@bickford/session"
import type { Hiding } from "./hiding.ts"
import { andThen, map, optional } from "./outcome.ts"
import type { Served } from "./served.ts"

export const removalOperations = <H>(
  { attributes, callbacks, inside, nodes }: Served<H>,
  { emptied, hide, mustHide }: Hiding
) =>
  ({
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
      )
  }) satisfies Backend
