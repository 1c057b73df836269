/**
 * Which node has which path: nodes have names in their parents, so renaming a folder renames all below it.
 * A node with several names (hard links) has the path of any; one with none has been removed.
 */
import type { Name, U64 } from "@bickford/protocol"
import { normal } from "@bickford/protocol/arithmetic"
import type { RequestContext } from "@bickford/session"
import { S_IFDIR, S_IFMT } from "../posix/linux.ts"
import type { PathAttributes } from "./callbacks.ts"

interface PathName {
  readonly parent: PathNode
  readonly name: string
}

export interface PathNode {
  readonly id: number
  /** The file's type, S_IF*. */
  readonly type: number
  /** As the callbacks number it, if they do. */
  readonly ino: U64 | undefined
  /** Where it is found; none once it is removed. */
  readonly names: Array<PathName>
  readonly children: Map<string, PathNode>
  /** `fh` of the handles that are open. */
  readonly handles: Set<number>
  /** The kernel holds it. */
  known: boolean
  /** Who removed it while it was open; it has a name of ours until it is closed. */
  removedBy: RequestContext | undefined
  /** What it was like when it was removed: somebody may be in the directory, or have the file open. */
  last: PathAttributes | undefined
  /** What was set on a removed file that no callback took. */
  set: Partial<PathAttributes> | undefined
  /** Nobody knows its size, so the kernel must not rely on it. */
  sizeless: boolean
  /** Operations going on whose path leads to it or through it. */
  passing: number
  /** An operation that takes its name away or changes it is going on. */
  moving: boolean
}

/** No name that is UTF-8 has half a surrogate pair. */
const bytesMark = "\udcff"

/** Names are strings here; one that is no UTF-8 has a character for each byte, after a mark. */
export const nameText = (name: Name): string =>
  typeof name === "string" ? name : `${bytesMark}${Buffer.from(name).toString("latin1")}`

export const nameOf = (text: string): Name =>
  text.startsWith(bytesMark) ? new Uint8Array(Buffer.from(text.slice(1), "latin1")) : text

/** The callbacks' own number of a file; 0 is none: readdir(3) of some C libraries leaves out what has it. */
export const inoOf = ({ ino }: PathAttributes): U64 | undefined => {
  if (ino === undefined) return undefined
  const number = typeof ino === "bigint" ? normal(ino) : ino
  return number === 0 ? undefined : number
}

/** Whether what is found under a name is what was found there before. */
const isSame = (node: PathNode, found: PathAttributes): boolean =>
  node.type === (found.mode & S_IFMT) && node.ino === inoOf(found)

export type PathNodes = ReturnType<typeof makePathNodes>

export const makePathNodes = () => {
  const nodes = new Map<U64, PathNode>()
  /** Files that may have more names, by the callbacks' own number. */
  const linked = new Map<U64, PathNode>()
  let last = 0
  const make = (type: number, ino: U64 | undefined): PathNode => {
    const node: PathNode = {
      id: ++last,
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
    nodes.set(node.id, node)
    if (ino !== undefined && type !== S_IFDIR) linked.set(ino, node)
    return node
  }
  const root = make(S_IFDIR, undefined)

  /** Goes when nothing refers to it. */
  const drop = (node: PathNode): void => {
    if (node === root || node.known || node.handles.size > 0 || node.children.size > 0) return
    nodes.delete(node.id)
    if (node.ino !== undefined && linked.get(node.ino) === node) linked.delete(node.ino)
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

  /** A name is gone. */
  const remove = (parent: PathNode, name: string): void => {
    const node = detach(parent, name)
    if (node !== undefined) drop(node)
  }

  const path = (node: PathNode): string | undefined => {
    let below = ""
    for (let at = node; at !== root;) {
      const [first] = at.names
      if (first === undefined) return undefined
      below = `/${first.name}${below}`
      at = first.parent
    }
    return below === "" ? "/" : below
  }

  return {
    root,
    get: (nodeid: U64): PathNode | undefined => nodes.get(nodeid),
    /** How many there are. */
    size: (): number => nodes.size,
    /** Undefined once it is removed. */
    path,
    /** The path that `name` in `parent` has, or would have. */
    pathOf: (parent: PathNode, name: string): string | undefined => {
      const above = path(parent)
      if (above === undefined) return undefined
      return above === "/" ? `/${name}` : `${above}/${name}`
    },
    /** The nodes from one up to the root. */
    above: (node: PathNode): ReadonlyArray<PathNode> => {
      const found: Array<PathNode> = []
      for (let at: PathNode | undefined = node; at !== undefined; at = at.names[0]?.parent) found.push(at)
      return found
    },
    /**
     * The node of what was found under this name: the one known by it, unless that is another file now, or
     * the one known by another name with the same number; else a new one.
     */
    enter: (parent: PathNode, name: string, found: PathAttributes): PathNode => {
      const known = parent.children.get(name)
      if (known !== undefined) {
        if (isSame(known, found)) return known
        remove(parent, name)
      }
      const ino = inoOf(found)
      const other = ino === undefined || (found.nlink ?? 1) < 2 ? undefined : linked.get(ino)
      const node =
        other !== undefined && other.names.length > 0 && isSame(other, found) ? other : make(found.mode & S_IFMT, ino)
      attach(parent, name, node)
      return node
    },
    /** Another name of a node (link). */
    link: (node: PathNode, parent: PathNode, name: string): void => {
      remove(parent, name)
      attach(parent, name, node)
    },
    remove,
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
