/** An inode as a row of the store: read from one, and written to one. */
import { nameFromBytes, nameToBytes, type Timespec, type U64 } from "@bickford/protocol"
import { normal } from "@bickford/protocol/arithmetic"
import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import type { Content, Inode } from "../posix/inode.ts"
import { S_IFLNK, S_IFMT } from "../posix/linux.ts"
import { attributeColumnCount, attributeColumns, inodeOfColumns } from "../posix/stored.ts"
import { StoredBytes } from "./bytes.ts"
import { StoredDirectory } from "./directory.ts"
import { prepareQuery } from "./query.ts"
import type { Underlay } from "./underlay.ts"

const columns = [
  "mode",
  "nlink",
  "uid",
  "gid",
  "rdev",
  "size",
  "blocks",
  "atime",
  "atimeNsec",
  "mtime",
  "mtimeNsec",
  "ctime",
  "ctimeNsec",
  "btime",
  "btimeNsec",
  "data",
  "parent",
  "target"
]

/** The columns of `columns`. */
type Row = ReadonlyArray<bigint | Uint8Array | null>

/** What rows do not hold. */
export interface InodeSettings {
  readonly entryValid: Timespec
  readonly attrValid: Timespec
  /** What an inode holds, of the type that its mode says. */
  readonly bytes: (ino: number, data: number, blocks: number) => StoredBytes
  readonly directory: (ino: number, parent: number) => StoredDirectory
  /** What the store lies over, if anything. */
  readonly underlay: () => Pick<Underlay, "inode" | "seenInode" | "isChanged" | "takeRow" | "removed"> | undefined
}

/** What an integer column holds, of a STRICT table. */
const exact = (column: Row[number] | undefined): U64 => {
  if (typeof column !== "bigint") throw new Error(`a column of an inode holds ${typeof column}, not an integer`)
  return normal(column)
}

const contentOf = ({ blocks, ino, mode }: Inode, row: Row, settings: InodeSettings): Content => {
  const [data, parent, target] = row.slice(attributeColumnCount)
  if (target instanceof Uint8Array) return nameFromBytes(target)
  if (typeof parent === "bigint") return settings.directory(ino, Number(parent))
  return (mode & S_IFMT) === S_IFLNK || typeof data !== "bigint"
    ? undefined
    : settings.bytes(ino, Number(data), blocks / 8)
}

/** A row's columns in order, and its key. */
const valuesOf = (inode: Inode): Array<SQLInputValue> => {
  const { content } = inode
  return [
    ...attributeColumns(inode),
    content instanceof StoredBytes ? content.id : null,
    content instanceof StoredDirectory ? content.parentIno : null,
    typeof content === "string" || content instanceof Uint8Array ? nameToBytes(content) : null,
    inode.ino
  ]
}

const inodeOf = (ino: number, row: Row, settings: InodeSettings): Inode => {
  const inode = inodeOfColumns(ino, row, exact, settings)
  inode.content = contentOf(inode, row, settings)
  return inode
}

/** The statements on rows of inodes. Each that writes needs a transaction. */
export const makeInodeRows = (db: DatabaseSync, settings: InodeSettings) => {
  const select = prepareQuery<Row>(db, `SELECT ${columns.join(", ")} FROM inode WHERE ino = ?`, true)
  const insert = db.prepare(`INSERT INTO inode (${columns.join(", ")}, ino) VALUES (${"?, ".repeat(columns.length)}?)`)
  const update = db.prepare(`UPDATE inode SET ${columns.map((column) => `${column} = ?`).join(", ")} WHERE ino = ?`)
  const remove = db.prepare("DELETE FROM inode WHERE ino = ?")
  const removeXattrs = db.prepare("DELETE FROM xattr WHERE ino = ?")
  const orphans = prepareQuery<[ino: number]>(db, "SELECT ino FROM inode INDEXED BY orphan WHERE nlink = 0")

  return {
    read: (ino: number): Inode | undefined => {
      const row = select.get(ino)
      return row === undefined ? undefined : inodeOf(ino, row, settings)
    },
    insert: (inode: Inode): void => void insert.run(...valuesOf(inode)),
    update: (inode: Inode): void => void update.run(...valuesOf(inode)),
    remove: (ino: number): void => void remove.run(ino),
    removeXattrs: (ino: number): void => void removeXattrs.run(ino),
    /** Inodes without a name, as stored. */
    orphans: (): ReadonlyArray<number> => orphans.all().map(([ino]) => ino)
  }
}
