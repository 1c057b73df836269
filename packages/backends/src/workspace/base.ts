/**
 * The nodes of the base that the branch has met, by number and by what they are. A file that is not changed here is looked
 * at in the base each time that the kernel asks, so its inode is as the base has it now.
 */
import { errnoNumbers, type Name, nameFromBytes } from "@bickford/protocol"
import { isSame } from "../passthrough/attributes.ts"
import type { Inode } from "../posix/inode.ts"
import { S_IFLNK, S_IFMT } from "../posix/linux.ts"
import { OperationFailure } from "../sqlite/errors.ts"
import { type BaseInodeParts, makeBaseInodes, markUnlinked } from "./baseInodes.ts"
import { type BaseNode, pathOf } from "./baseNode.ts"
import { type BaseNodeParts, makeBaseNodes } from "./baseNodes.ts"
import type { RecordedNode } from "./nodeJournal.ts"

const { ENOENT, ENOTDIR, ESTALE } = errnoNumbers

/** Milliseconds for which what was seen of the base is trusted. */
const seenFor = 200

export type BaseParts = BaseNodeParts & BaseInodeParts

export type Base = ReturnType<typeof makeBase>

/** What finds base files by their names. */
const makeFinder = (
  { files, origins, root }: BaseParts,
  nodes: ReturnType<typeof makeBaseNodes>,
  see: ReturnType<typeof makeBaseInodes>
) => {
  /** Looks at a name of a base directory: the node, undefined when there is none. Throws what else goes wrong. */
  const find = (directory: BaseNode, name: Name): BaseNode | undefined => {
    if (name === "." || name === "..") return undefined
    const status = files.look(directory, name)
    if (status === -ENOENT || status === -ENOTDIR) return undefined
    if (status < 0)
      throw new OperationFailure({ errno: -status, message: `${String(name)}: the base cannot be looked at` })
    const node = nodes.meet(directory, name)
    node.removed = false
    if (!origins.has(node.ino)) see(node)
    return node
  }

  /** Looks at a name that the branch shows: what it leads to has a name. */
  const findShown = (directory: BaseNode, name: Name): BaseNode | undefined => {
    const node = find(directory, name)
    if (node?.unlinkedAt !== undefined) {
      node.unlinkedAt = undefined
      node.inode = undefined
    }
    return node
  }

  const walk = (path: Uint8Array): BaseNode | undefined => {
    let node: BaseNode | undefined = root
    for (let at = 0; node !== undefined && at < path.length;) {
      const slash = path.indexOf(0x2f, at)
      const stop = slash < 0 ? path.length : slash
      node = find(node, nameFromBytes(path.slice(at, stop)))
      at = stop + 1
    }
    return node
  }

  return { find, findShown, walk }
}

export const makeBase = (parts: BaseParts) => {
  const { attributes, files, journal, origins, root } = parts
  const nodes = makeBaseNodes(parts)
  const see = makeBaseInodes(parts)
  const { find, findShown, walk } = makeFinder(parts, nodes, see)

  const recorded = ({ identity, name, parent }: RecordedNode): BaseNode | undefined => {
    const directory = nodeOf(parent)
    const node = directory && find(directory, name)
    if (node === undefined || !isSame(node.identity, identity)) return undefined
    // An earlier server has told the kernel of it.
    node.known = true
    if (node.inode === undefined) return node
    node.inode.known = true
    if (origins.isBuried(node.ino, identity)) node.unlinkedAt ??= node.inode.ctime
    markUnlinked(node, node.inode)
    return node
  }

  /** The base file that has a number; undefined where the base has it no more. */
  const nodeOf = (ino: number): BaseNode | undefined => {
    const known = nodes.get(ino)
    if (known !== undefined) return known
    const origin = origins.get(ino)
    if (origin !== undefined) {
      const node = walk(origin.path)
      return node !== undefined && isSame(node.identity, origin.identity) ? node : undefined
    }
    const record = journal.find(ino)
    return record && recorded(record)
  }

  const look = (node: BaseNode): number =>
    node.parent === undefined ? files.lookAtRoot() : files.look(node.parent, node.name)

  return {
    root,
    find,
    findShown,
    /** Whether a base directory has a name now. */
    hasName: (directory: BaseNode, name: Name): boolean => files.look(directory, name) === 0,
    nodeOf,
    /** Whether an inode comes from the base, whatever has become of it there. */
    isOfBase: (ino: number): boolean =>
      nodes.get(ino) !== undefined || origins.has(ino) || journal.find(ino) !== undefined,
    /** The inode that stands for a base file; undefined when it has a row, or is not there. */
    inode: (ino: number): Inode | undefined => {
      if (origins.has(ino)) return undefined
      const node = nodeOf(ino)
      if (node === undefined || node.removed) return undefined
      if (node.inode !== undefined && performance.now() - node.seenAt < seenFor) return node.inode
      const status = look(node)
      if (status < 0 || !isSame(attributes.identity(), node.identity)) return undefined
      return see(node)
    },
    /** The inode that stands for a base file, as it was seen last. */
    seenInode: (ino: number): Inode | undefined => {
      const node = origins.has(ino) ? undefined : nodes.get(ino)
      return node?.removed === false ? node.inode : undefined
    },
    /** The symlink's target, which the inode has from then on. */
    target: (inode: Inode): Name | undefined => {
      if ((inode.mode & S_IFMT) !== S_IFLNK) return undefined
      const node = nodeOf(inode.ino)
      const target = node === undefined ? -ESTALE : files.target(node)
      if (typeof target === "number")
        throw new OperationFailure({ errno: -target, message: "a link of the base cannot be read" })
      inode.content = target
      return target
    },
    pathOf,
    forget: (ino: number): void => {
      const node = nodes.get(ino)
      if (node === undefined || node === root) return
      files.letGo(node)
      nodes.remove(node)
    },
    /** After a rollback no inode is as it is in memory. */
    rolledBack: (): void => {
      origins.reload()
      for (const node of nodes.all()) {
        node.known ||= node.inode?.known === true
        node.inode = undefined
        node.removed = false
        node.unlinkedAt = undefined
      }
    }
  }
}
