/** Lays a branch's store over its base: makes the directories and the files that merge the two. */
import type { Timespec } from "@bickford/protocol"
import { errnoNumbers, nameFromBytes, nameKey, nameToBytes } from "@bickford/protocol"
import type { Attributes } from "../passthrough/attributes.ts"
import type { Inode } from "../posix/inode.ts"
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../posix/linux.ts"
import type { StoredBytes } from "../sqlite/bytes.ts"
import { type EntryStore, StoredDirectory } from "../sqlite/directory.ts"
import { StoredBytes as OwnBytes } from "../sqlite/bytes.ts"
import { OperationFailure } from "../sqlite/errors.ts"
import type { HashKey } from "../sqlite/names.ts"
import { prepareQuery } from "../sqlite/query.ts"
import type { Transaction } from "../sqlite/transaction.ts"
import type { Overlay, UnderlayParts } from "../sqlite/underlay.ts"
import { type Base, makeBase } from "./base.ts"
import type { BaseFiles } from "./baseFiles.ts"
import { orderNames, type BaseNames } from "./baseNames.ts"
import { type BaseNode, isSameVersion, pathOf, type Version } from "./baseNode.ts"
import { firstOwnId } from "./baseNodes.ts"
import { blocksOf, type ContentBelow } from "./chunksOver.ts"
import { type DirectoryBelow, MergedDirectory } from "./mergedDirectory.ts"
import { MergedBytes } from "./mergedBytes.ts"
import type { NodeJournal } from "./nodeJournal.ts"
import { makeOrigins, type Origins } from "./origins.ts"

const { ESTALE } = errnoNumbers

/** Milliseconds after which a directory that has changed has other times than before. */
const settledAfter = 2100

/** What a branch lies over, and how. */
export interface OverlaySettings {
  readonly root: BaseNode
  readonly files: BaseFiles
  readonly attributes: Attributes
  readonly journal: NodeJournal
  readonly entryValid: Timespec
  readonly attrValid: Timespec
  /** The kernel's pages of a file are not its content any more. */
  readonly changed: (ino: number) => void
  /** Called once with the parts that the backend looks at itself. */
  readonly made: (parts: {
    readonly base: Base
    readonly entries: EntryStore
    readonly transaction: Transaction
  }) => void
  /** Called after a rollback. */
  readonly rolledBack: () => void
}

const noNames = orderNames([], { a: 0, b: 0 }, new Map())

/** The names of one base directory, listed again when it has changed. */
const makeNames = (
  files: BaseFiles,
  nodeOf: () => BaseNode | undefined,
  key: HashKey,
  rows: () => ReadonlyMap<string, number>,
  numberOf: Base["find"]
) => {
  let known: { readonly names: BaseNames; readonly version: Version; readonly settled: boolean } | undefined
  return (again: boolean): BaseNames => {
    if (known !== undefined && again) return known.names
    const node = nodeOf()
    if (node === undefined) return noNames
    const listed = files.list(node, known?.settled === true ? known.version : undefined)
    if (typeof listed === "number")
      throw new OperationFailure({ errno: -listed, message: "a directory of the base cannot be listed" })
    if (listed === undefined) return known?.names ?? noNames
    const entries = listed.entries.map((entry) =>
      entry.ino < firstOwnId ? entry : { ...entry, ino: numberOf(node, entry.name)?.ino ?? 0 }
    )
    const { ctime } = listed.version
    const settled = Date.now() - Number(ctime.sec) * 1000 - ctime.nsec / 1e6 > settledAfter
    known = { names: orderNames(entries, key, rows()), version: listed.version, settled }
    return known.names
  }
}

/** The names that the base has of the directory `ino`; `rowsOf` gives those that have rows, with their cookies. */
const makeDirectoryBelow = (
  files: BaseFiles,
  base: Pick<Base, "find" | "findShown" | "hasName" | "nodeOf">,
  key: HashKey,
  rowsOf: (ino: number) => ReadonlyMap<string, number>,
  ino: number
): DirectoryBelow => ({
  find: (name) => {
    const node = base.nodeOf(ino)
    return node && base.findShown(node, name)?.ino
  },
  has: (name) => {
    const node = base.nodeOf(ino)
    return node !== undefined && base.hasName(node, name)
  },
  names: makeNames(
    files,
    () => base.nodeOf(ino),
    key,
    () => rowsOf(ino),
    base.find
  ),
  rows: () => new Set(rowsOf(ino).keys())
})

/** Reads what the changed file `ino` has left of the base's: an error when that is not what it was when it was changed. */
const makeContentBelow = (
  { files }: OverlaySettings,
  origins: Origins,
  nodeOf: Base["nodeOf"],
  ino: number,
  initial: number
): ContentBelow => {
  let visible = initial
  let version: Version | undefined
  return {
    visible: () => visible,
    cut: (end) => {
      if (end >= visible) return
      visible = end
      origins.setVisible(ino, end)
    },
    read: (offset, length) => {
      const node = nodeOf(ino)
      const fd = node === undefined ? -ESTALE : files.readable(node)
      if (node === undefined || fd < 0)
        throw new OperationFailure({ errno: -fd, message: "a file of the base cannot be read" })
      version ??= origins.get(ino)?.version ?? node.version
      const seen = files.versionOf(fd)
      if (typeof seen === "number" || version === undefined || !isSameVersion(seen, version))
        throw new OperationFailure({ errno: ESTALE, message: "a file of the base was changed there, and here" })
      const bytes = files.read(node, offset, length)
      if (typeof bytes === "number")
        throw new OperationFailure({ errno: -bytes, message: "a file of the base cannot be read" })
      return bytes
    }
  }
}

export const overlay = (settings: OverlaySettings): Overlay => ({
  firstId: firstOwnId,
  make: (parts) => makeUnderlay(settings, parts)
})

const makeUnderlay = (settings: OverlaySettings, parts: UnderlayParts) => {
  const { files, journal, root } = settings
  const { chunks, db, entries, inodes, newId, transaction } = parts
  const [a, b] = prepareQuery<[number, number]>(db, "SELECT a, b FROM hashKey").get() ?? [0, 0]
  const rowNames = prepareQuery<[Uint8Array, number]>(db, "SELECT name, cookie FROM entry WHERE parent = ?")
  const putXattr = db.prepare("INSERT OR REPLACE INTO xattr (ino, name, value) VALUES (?, ?, ?)")
  const origins = makeOrigins(db, transaction, root.identity.device)

  const rowsOf = (ino: number): Map<string, number> =>
    new Map(rowNames.all(ino).map(([name, cookie]) => [nameKey(nameFromBytes(name)), cookie]))

  const bytesOver = (ino: number, data: number, blocks: number, visible: number): MergedBytes =>
    new MergedBytes(chunks, data, blocks, newId, makeContentBelow(settings, origins, base.nodeOf, ino, visible))

  const directoryOver = (ino: number, parent: number): MergedDirectory =>
    new MergedDirectory(entries, inodes, ino, parent, makeDirectoryBelow(files, base, { a, b }, rowsOf, ino))

  const base: Base = makeBase({
    ...settings,
    origins,
    newId,
    journal,
    giveContent: (inode, node) => {
      const type = inode.mode & S_IFMT
      if (type === S_IFREG) {
        const size = Number(inode.size)
        inode.content = bytesOver(node.ino, node.ino, blocksOf(size), size)
      } else if (type === S_IFDIR) inode.content = directoryOver(node.ino, node.parent?.ino ?? node.ino)
    }
  })
  settings.made({ base, entries, transaction })

  const xattrsBelow = (inode: Inode) => {
    if (inode.xattrs !== undefined) return inode.xattrs
    const node = base.nodeOf(inode.ino)
    return (inode.xattrs = node === undefined ? new Map() : files.xattrs(node))
  }

  const takeRow = (inode: Inode) => {
    const node = base.nodeOf(inode.ino)
    const version = node?.version
    if (node === undefined || version === undefined)
      throw new OperationFailure({ errno: ESTALE, message: "a base file is gone" })
    if ((inode.mode & S_IFMT) === S_IFLNK && inode.content === undefined) base.target(inode)
    const { content } = inode
    const below = node.below
    origins.add({
      ino: inode.ino,
      path: pathOf(node),
      identity: node.identity,
      version,
      ...below,
      visible: content instanceof MergedBytes ? content.below.visible() : 0
    })
    for (const { name, value } of xattrsBelow(inode).values()) putXattr.run(inode.ino, nameToBytes(name), value)
    node.known ||= inode.known
    node.inode = undefined
    return { uid: below.uid, blocks: below.blocks }
  }

  return {
    directory: (ino: number, parent: number): StoredDirectory =>
      base.isOfBase(ino) ? directoryOver(ino, parent) : new StoredDirectory(entries, inodes, ino, parent),
    bytes: (ino: number, data: number, blocks: number): StoredBytes => {
      const origin = origins.get(ino)
      return origin === undefined
        ? new OwnBytes(chunks, data, blocks, newId)
        : bytesOver(ino, data, blocks, Number(origin.visible))
    },
    inode: base.inode,
    seenInode: base.seenInode,
    target: (inode: Inode) => (origins.has(inode.ino) || !base.isOfBase(inode.ino) ? undefined : base.target(inode)),
    isChanged: (inode: Inode): boolean => {
      const node = base.isOfBase(inode.ino) ? base.nodeOf(inode.ino) : undefined
      return node?.inode === inode && !node.removed && inode.ctime !== (node.unlinkedAt ?? node.version?.ctime)
    },
    takeRow,
    unlinked: (inode: Inode): void => {
      const node = origins.has(inode.ino) ? undefined : base.nodeOf(inode.ino)
      if (node?.version === undefined) return
      node.unlinkedAt = inode.ctime
      origins.bury(inode.ino, node.identity, node.version)
    },
    removed: (ino: number): void => {
      const node = base.isOfBase(ino) ? base.nodeOf(ino) : undefined
      if (node !== undefined) {
        node.removed = true
        const isBuried = node.unlinkedAt !== undefined || origins.has(ino)
        if (!isBuried && node.version !== undefined) origins.bury(ino, node.identity, node.version)
      }
      origins.remove(ino)
    },
    xattrs: (inode: Inode) => (origins.has(inode.ino) || !base.isOfBase(inode.ino) ? undefined : xattrsBelow(inode)),
    rolledBack: (): void => {
      base.rolledBack()
      settings.rolledBack()
    }
  }
}
