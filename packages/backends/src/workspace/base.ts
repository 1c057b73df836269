/**
 * The nodes of the base that the branch has met, by number and by what they are. A file that is not changed here is looked
 * at in the base each time that the kernel asks, so its inode is as the base has it now.
 */
import { errnoNumbers, type Name, nameFromBytes, ownName, type Timespec, type U64 } from "@bickford/protocol"
import type { Attributes, Identity } from "../passthrough/attributes.ts"
import { isSame } from "../passthrough/attributes.ts"
import { Inode } from "../posix/inode.ts"
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../posix/linux.ts"
import { OperationFailure } from "../sqlite/errors.ts"
import { rootId } from "../sqlite/storedNodes.ts"
import type { BaseFiles } from "./baseFiles.ts"
import { BaseNode, isSameVersion, pathOf } from "./baseNode.ts"
import { blocksOf } from "./chunksOver.ts"
import type { NodeJournal, RecordedNode } from "./nodeJournal.ts"
import type { Origins } from "./origins.ts"

const { ENOENT, ENOTDIR, ESTALE } = errnoNumbers

/** Base files have their own number where it is smaller; what is made here has one from there on. */
export const firstOwnId = 2 ** 40

/** Milliseconds for which what was seen of the base is trusted. */
const seenFor = 200

/** Sectors of 512 bytes in a block. */
const sectors = 8

export interface BaseParts {
  readonly root: BaseNode
  readonly files: BaseFiles
  readonly attributes: Attributes
  readonly origins: Origins
  readonly journal: NodeJournal
  readonly newId: () => number
  readonly entryValid: Timespec
  readonly attrValid: Timespec
  /** Gives a new inode what it holds, but for symlinks. */
  readonly giveContent: (inode: Inode, node: BaseNode) => void
  /** The content of a file that the kernel may have is another one. */
  readonly changed: (ino: number) => void
}

export type Base = ReturnType<typeof makeBase>

export const makeBase = (parts: BaseParts) => {
  const { attributes, files, journal, origins, root } = parts
  const byIno = new Map<number, BaseNode>([[rootId, root]])
  const byIdentity = new Map<U64, BaseNode>([[root.identity.ino, root]])

  /** Whether a base file may have its own number: no other file of the branch has it. */
  const isFree = (ino: number, identity: Identity): boolean => {
    const origin = origins.get(ino)
    if (origin !== undefined && origin.identity.birth !== identity.birth) return false
    const node = byIno.get(ino)
    return node === undefined || isSame(node.identity, identity)
  }

  const numberOf = (identity: Identity): number => {
    const { device, ino } = identity
    const own = typeof ino === "number" && ino < firstOwnId && ino !== rootId && device === root.identity.device
    return own && isFree(ino, identity) ? ino : origins.numberOf(identity, parts.newId)
  }

  const register = (node: BaseNode): BaseNode => {
    byIno.set(node.ino, node)
    byIdentity.set(node.identity.ino, node)
    return node
  }

  const record = (node: BaseNode): void => {
    const { identity, ino, name, parent } = node
    if (parent !== undefined) journal.record({ ino, identity, name, parent: parent.ino })
  }

  /** The node of what was just looked at. */
  const meet = (parent: BaseNode, name: Name): BaseNode => {
    const identity = attributes.identity()
    const known = byIdentity.get(identity.ino)
    if (known !== undefined && isSame(known.identity, identity)) {
      if (known.parent !== parent || known.name !== name) {
        known.parent = parent
        known.name = ownName(name)
        record(known)
      }
      return known
    }
    const node = register(new BaseNode(numberOf(identity), identity, parent, ownName(name)))
    record(node)
    return node
  }

  const seenVersion = () => ({ size: attributes.size(), mtime: attributes.mtime(), ctime: attributes.ctime() })

  /** A directory's links, where the filesystem does not count them: 2, and one for each directory in it. */
  const countLinks = (node: BaseNode): number => {
    const listed = files.list(node)
    if (typeof listed === "number") return 2
    return listed.entries.reduce((count, { type }) => count + (type === S_IFDIR >>> 12 ? 1 : 0), 2)
  }

  /** The inode of what was just looked at: made, or as it is now. */
  const see = (node: BaseNode): Inode => {
    const { inode: known, version } = node
    const now = performance.now()
    const seen = seenVersion()
    node.seenAt = now
    if (known !== undefined && version !== undefined && isSameVersion(version, seen)) {
      known.atime = attributes.attr().atime
      return known
    }
    const attr = attributes.attr()
    const inode = new Inode(
      node.ino,
      0,
      attr.mode,
      attr.uid,
      attr.gid,
      attr.rdev,
      attributes.statx().btime,
      parts.entryValid,
      parts.attrValid
    )
    inode.nlink = attr.nlink
    inode.size = attr.size
    inode.blocks = (attr.mode & S_IFMT) === S_IFREG ? sectors * blocksOf(Number(attr.size)) : 0
    inode.atime = attr.atime
    inode.mtime = seen.mtime
    inode.ctime = seen.ctime
    inode.known = known?.known ?? node.known
    node.version = seen
    node.below = { mode: attr.mode, uid: attr.uid, gid: attr.gid, blocks: inode.blocks }
    node.inode = inode
    if (known !== undefined) parts.changed(node.ino)
    if ((attr.mode & S_IFMT) === S_IFDIR && attr.nlink < 2) inode.nlink = countLinks(node)
    parts.giveContent(inode, node)
    return inode
  }

  /** Looks at a name of a base directory: the node, undefined when there is none. Throws what else goes wrong. */
  const find = (directory: BaseNode, name: Name): BaseNode | undefined => {
    if (name === "." || name === "..") return undefined
    const status = files.look(directory, name)
    if (status === -ENOENT || status === -ENOTDIR) return undefined
    if (status < 0) throw new OperationFailure(-status, `${String(name)}: the base cannot be looked at`)
    const node = meet(directory, name)
    node.removed = false
    if (!origins.has(node.ino)) see(node)
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

  const recorded = ({ identity, name, parent }: RecordedNode): BaseNode | undefined => {
    const directory = nodeOf(parent)
    const node = directory && find(directory, name)
    if (node === undefined || !isSame(node.identity, identity)) return undefined
    // An earlier server has told the kernel of it.
    node.known = true
    if (node.inode !== undefined) node.inode.known = true
    return node
  }

  /** The base file that has a number; undefined where the base has it no more. */
  const nodeOf = (ino: number): BaseNode | undefined => {
    const known = byIno.get(ino)
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
    nodeOf,
    /** Whether an inode comes from the base, whatever has become of it there. */
    isOfBase: (ino: number): boolean => byIno.has(ino) || origins.has(ino) || journal.find(ino) !== undefined,
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
    /** The symlink's target, which the inode has from then on. */
    target: (inode: Inode): Name | undefined => {
      if ((inode.mode & S_IFMT) !== S_IFLNK) return undefined
      const node = nodeOf(inode.ino)
      const target = node === undefined ? -ESTALE : files.target(node)
      if (typeof target === "number") throw new OperationFailure(-target, `a link of the base cannot be read`)
      inode.content = target
      return target
    },
    pathOf,
    forget: (ino: number): void => {
      const node = byIno.get(ino)
      if (node === undefined || node === root) return
      files.letGo(node)
      byIno.delete(ino)
      if (byIdentity.get(node.identity.ino) === node) byIdentity.delete(node.identity.ino)
    },
    /** After a rollback no inode is as it is in memory. */
    rolledBack: (): void => {
      origins.reload()
      for (const node of byIno.values()) {
        node.known ||= node.inode?.known === true
        node.inode = undefined
        node.removed = false
      }
    }
  }
}
