/**
 * Which node has which path: nodes have names in their parents, so renaming a directory renames all below it.
 * A node with several names (hard links) has the path of any; one with none has been removed.
 */
import type { U64 } from "@bickford/protocol"
import { S_IFDIR, S_IFMT } from "../posix/linux.ts"
import type { PathAttributes } from "./callbacks.ts"
import { inoOf, type PathNode } from "./node.ts"

/** Whether what is found under a name is what was found there before. */
const isSame = (node: PathNode, found: PathAttributes): boolean =>
  node.type === (found.mode & S_IFMT) && node.ino === inoOf(found)

export class PathNodes {
  readonly root: PathNode
  readonly #nodes = new Map<U64, PathNode>()
  /** Files that may have more names, by the callbacks' own number. */
  readonly #linked = new Map<U64, PathNode>()
  #last = 0

  constructor() {
    this.root = this.#make(S_IFDIR, undefined)
  }

  get(nodeid: U64): PathNode | undefined {
    return this.#nodes.get(nodeid)
  }

  /** How many there are. */
  size(): number {
    return this.#nodes.size
  }

  /** Undefined once it is removed. */
  path(node: PathNode): string | undefined {
    let below = ""
    for (let at = node; at !== this.root;) {
      const [first] = at.names
      if (first === undefined) return undefined
      below = `/${first.name}${below}`
      at = first.parent
    }
    return below === "" ? "/" : below
  }

  /** The path that `name` in `parent` has, or would have. */
  pathOf(parent: PathNode, name: string): string | undefined {
    const above = this.path(parent)
    if (above === undefined) return undefined
    return above === "/" ? `/${name}` : `${above}/${name}`
  }

  /** The nodes from one up to the root. */
  above(node: PathNode): ReadonlyArray<PathNode> {
    const found: Array<PathNode> = []
    for (let at: PathNode | undefined = node; at !== undefined; at = at.names[0]?.parent) found.push(at)
    return found
  }

  /**
   * The node of what was found under this name: the one known by it, unless that is another file now, or
   * the one known by another name with the same number; else a new one.
   */
  enter(parent: PathNode, name: string, found: PathAttributes): PathNode {
    const known = parent.children.get(name)
    if (known !== undefined) {
      if (isSame(known, found)) return known
      this.remove(parent, name)
    }
    const ino = inoOf(found)
    const other = ino === undefined || (found.nlink ?? 1) < 2 ? undefined : this.#linked.get(ino)
    const node =
      other !== undefined && other.names.length > 0 && isSame(other, found)
        ? other
        : this.#make(found.mode & S_IFMT, ino)
    this.#attach(parent, name, node)
    return node
  }

  /** Another name of a node (link). */
  link(node: PathNode, parent: PathNode, name: string): void {
    this.remove(parent, name)
    this.#attach(parent, name, node)
  }

  /** A name is gone. */
  remove(parent: PathNode, name: string): void {
    const node = this.#detach(parent, name)
    if (node !== undefined) this.drop(node)
  }

  rename(parent: PathNode, name: string, newParent: PathNode, newName: string): void {
    const node = this.#detach(parent, name)
    const replaced = this.#detach(newParent, newName)
    if (node !== undefined) this.#attach(newParent, newName, node)
    if (replaced !== undefined && replaced !== node) this.drop(replaced)
  }

  exchange(parent: PathNode, name: string, newParent: PathNode, newName: string): void {
    const one = this.#detach(parent, name)
    const other = this.#detach(newParent, newName)
    if (one !== undefined) this.#attach(newParent, newName, one)
    if (other !== undefined) this.#attach(parent, name, other)
  }

  /** Removes a node that nothing refers to, and then its parents that nothing else refers to. */
  drop(node: PathNode): void {
    if (node === this.root || node.known || node.handles.size > 0 || node.children.size > 0) return
    this.#nodes.delete(node.id)
    if (node.ino !== undefined && this.#linked.get(node.ino) === node) this.#linked.delete(node.ino)
    for (const { name, parent } of node.names.splice(0)) {
      if (parent.children.get(name) === node) parent.children.delete(name)
      this.drop(parent)
    }
  }

  #make(type: number, ino: U64 | undefined): PathNode {
    const node: PathNode = {
      id: ++this.#last,
      type,
      ino,
      names: [],
      children: new Map(),
      handles: new Set(),
      known: false,
      removedBy: undefined,
      last: undefined,
      set: undefined,
      sizeless: false,
      passing: 0,
      moving: false
    }
    this.#nodes.set(node.id, node)
    if (ino !== undefined && type !== S_IFDIR) this.#linked.set(ino, node)
    return node
  }

  #detach(parent: PathNode, name: string): PathNode | undefined {
    const node = parent.children.get(name)
    if (node === undefined) return undefined
    parent.children.delete(name)
    const index = node.names.findIndex((one) => one.parent === parent && one.name === name)
    if (index >= 0) node.names.splice(index, 1)
    return node
  }

  #attach(parent: PathNode, name: string, node: PathNode): void {
    parent.children.set(name, node)
    node.names.push({ parent, name })
  }
}
