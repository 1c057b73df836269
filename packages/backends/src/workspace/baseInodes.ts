/** The inodes of base files: as the base has them now. */
import type { Timespec } from "@bickford/protocol"
import type { Attributes } from "../passthrough/attributes.ts"
import { Inode } from "../posix/inode.ts"
import { S_IFDIR, S_IFMT, S_IFREG } from "../posix/linux.ts"
import type { BaseFiles } from "./baseFiles.ts"
import { type BaseNode, isSameVersion } from "./baseNode.ts"
import { blocksOf } from "./chunksOver.ts"

/** Sectors of 512 bytes in a block. */
const sectors = 8

export interface BaseInodeParts {
  readonly files: BaseFiles
  readonly attributes: Attributes
  readonly entryValid: Timespec
  readonly attrValid: Timespec
  /** Gives a new inode what it holds, but for symlinks. */
  readonly giveContent: (inode: Inode, node: BaseNode) => void
  /** The content of a file that the kernel may have is another one. */
  readonly changed: (ino: number) => void
}

/** Has an inode without a row show that its last name was removed here. */
export const markUnlinked = ({ unlinkedAt }: BaseNode, inode: Inode): void => {
  if (unlinkedAt === undefined) return
  inode.nlink = 0
  inode.ctime = unlinkedAt
}

/** Returns what makes the inode of the node that was just looked at, or brings it up to date. */
export const makeBaseInodes = (parts: BaseInodeParts): ((node: BaseNode) => Inode) => {
  const { attributes, files } = parts
  const seenVersion = () => ({ size: attributes.size(), mtime: attributes.mtime(), ctime: attributes.ctime() })

  /** A directory's links, where the filesystem does not count them: 2, and one for each directory in it. */
  const countLinks = (node: BaseNode): number => {
    const listed = files.list(node)
    if (typeof listed !== "object") return 2
    return listed.entries.reduce((count, { type }) => count + (type === S_IFDIR >>> 12 ? 1 : 0), 2)
  }

  return (node) => {
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
    markUnlinked(node, inode)
    node.version = seen
    node.below = { mode: attr.mode, uid: attr.uid, gid: attr.gid, blocks: inode.blocks }
    node.inode = inode
    if (known !== undefined) parts.changed(node.ino)
    if ((attr.mode & S_IFMT) === S_IFDIR && attr.nlink < 2) inode.nlink = countLinks(node)
    parts.giveContent(inode, node)
    return inode
  }
}
