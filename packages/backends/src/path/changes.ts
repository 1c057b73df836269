/** Telling the kernel of what changed by another way than the mount. */
import type { Notify } from "@bickford/session"
import * as Effect from "effect/Effect"
import { nameOf, type PathNode } from "./node.ts"
import type { PathNodes } from "./nodes.ts"

/** The directory of a path as far as the kernel knows it, and the name in it. */
const placeOf = (nodes: PathNodes, path: string): { readonly parent: PathNode; readonly name: string } | undefined => {
  const names = path.split("/").filter((name) => name !== "")
  const name = names.pop()
  let parent: PathNode | undefined = nodes.root
  for (const above of names) parent = parent?.children.get(above)
  return parent === undefined || name === undefined ? undefined : { parent, name }
}

/** Drops what the kernel keeps of a path: its name, its attributes and its pages. Does not wait for the kernel. */
export const changes =
  (nodes: PathNodes, notify: Notify) =>
  (path: string): void => {
    const place = placeOf(nodes, path)
    // What the kernel does not hold (ENOENT), or an end of the mount, makes no difference.
    const send = (sent: Effect.Effect<void, unknown>): void => void Effect.runFork(Effect.ignore(sent))
    if (place === undefined) {
      if (path === "/") send(notify.invalInode(nodes.root.id, 0, 0))
      return
    }
    const { name, parent } = place
    const node = parent.children.get(name)
    if (node !== undefined) send(notify.invalInode(node.id, 0, 0))
    send(notify.invalInode(parent.id, 0, 0))
    send(notify.invalEntry(parent.id, nameOf(name), { expireOnly: true }))
  }
