/**
 * Which node has which path: nodes have names in their parents, so renaming a folder renames all below it.
 * A node with several names (hard links) has the path of any; one with none has been removed.
 */
import type { Name, U64 } from "@bickford/session"

export interface PathNode {
  readonly id: number
  /** Where it is found; none once it is removed. */
  readonly names: Array<{ readonly parent: PathNode; readonly name: string }>
  readonly children: Map<string, PathNode>
  /** Handles that are open. */
  open: number
  /** The kernel holds it. */
  known: boolean
}

/** No name that is UTF-8 begins with half a surrogate pair. */
const bytesMark = "\udcff"

/** Names are strings here; one that is no UTF-8 has a character for each byte, after a mark. */
export const nameText = (name: Name): string => typeof name === "string" ? name : `${bytesMark}${Buffer.from(name).toString("latin1")}`

export const nameOf = (text: string): Name => text.startsWith(bytesMark) ? new Uint8Array(Buffer.from(text.slice(1), "latin1")) : text

export const makePathNodes = () => {
  const nodes = new Map<U64, PathNode>()
  let last = 0
  const make = (): PathNode => {
    const node: PathNode = { id: ++last, names: [], children: new Map(), open: 0, known: false }
    nodes.set(node.id, node)
    return node
  }
  const root = make()

  /** Goes when nothing refers to it. */
  const drop = (node: PathNode): void => {
    if (node === root || node.known || node.open > 0 || node.children.size > 0) return
    nodes.delete(node.id)
    for (const { name, parent } of node.names.splice(0)) {
      if (parent.children.get(name) === node) parent.children.delete(name)
      drop(parent)
    }
  }

  const detach = (parent: PathNode, name: string): PathNode | undefined => {
    const node = parent.children.get(name)
    if (node === undefined) return undefined
    parent.children.delete(name)
    const index = node.names.findIndex((one) => one.parent === parent && one.name === name)
    if (index >= 0) node.names.splice(index, 1)
    return node
  }

  const attach = (parent: PathNode, name: string, node: PathNode): void => {
    parent.children.set(name, node)
    node.names.push({ parent, name })
  }

  const path = (node: PathNode): string | undefined => {
    if (node === root) return "/"
    const [first] = node.names
    if (first === undefined) return undefined
    const above = path(first.parent)
    return above === undefined ? undefined : above === "/" ? `/${first.name}` : `${above}/${first.name}`
  }

  return {
    root,
    get: (nodeid: U64): PathNode | undefined => nodes.get(nodeid),
    /** How many there are. */
    size: () => nodes.size,
    path,
    /** The path that `name` in `parent` has, or would have. */
    pathOf: (parent: PathNode, name: string): string | undefined => {
      const above = path(parent)
      return above === undefined ? undefined : above === "/" ? `/${name}` : `${above}/${name}`
    },
    /** The node with this name, made if it is not known yet. */
    enter: (parent: PathNode, name: string): PathNode => {
      const known = parent.children.get(name)
      if (known !== undefined) return known
      const node = make()
      attach(parent, name, node)
      return node
    },
    /** Another name of a node (link). */
    link: (node: PathNode, parent: PathNode, name: string): void => {
      detach(parent, name)
      attach(parent, name, node)
    },
    /** A name is gone (unlink, rmdir). */
    remove: (parent: PathNode, name: string): void => {
      const node = detach(parent, name)
      if (node !== undefined) drop(node)
    },
    rename: (parent: PathNode, name: string, newParent: PathNode, newName: string): void => {
      const node = detach(parent, name)
      const replaced = detach(newParent, newName)
      if (node !== undefined) attach(newParent, newName, node)
      if (replaced !== undefined && replaced !== node) drop(replaced)
    },
    exchange: (parent: PathNode, name: string, newParent: PathNode, newName: string): void => {
      const one = detach(parent, name)
      const other = detach(newParent, newName)
      if (one !== undefined) attach(newParent, newName, one)
      if (other !== undefined) attach(parent, name, other)
    },
    drop
  }
}
