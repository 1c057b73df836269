/** An inode as a row of the store: read from one, and written to one. */
import { nameFromBytes, nameKey, nameToBytes, type Timespec } from "@bickford/protocol"
import { normal } from "@bickford/protocol/arithmetic"
import type { Inode } from "../posix/inode.ts"
import type { Xattrs } from "../posix/xattr.ts"
import { attributeColumnCount, attributeColumns, inodeOfColumns } from "../posix/stored.ts"
import { ContentBytes } from "./contentBytes.ts"
import { bytesOf, type Row, whole } from "./database.ts"
import { StoredDirectory } from "./directory.ts"

/** The integers of a row, in the order in which they are read and written. */
export const integerColumns = [
  "ino",
  "mode",
  "nlink",
  "uid",
  "gid",
  "rdev",
  "size",
  "blocks",
  "atime",
  "atime_nsec",
  "mtime",
  "mtime_nsec",
  "ctime",
  "ctime_nsec",
  "btime",
  "btime_nsec",
  "data",
  "parent"
] as const

/**
 * What a query selects of `inode AS i` to make inodes of: the integers, a symlink's target, and all attributes, each as
 * two lengths of 32 bits, a name and a value.
 */
export const inodeColumns = `${integerColumns.map((column) => `i.${column}`).join(", ")}, i.target, (
  SELECT string_agg(int4send(length(x.name)) || int4send(length(x.value)) || x.name || x.value, ''::bytea)
  FROM xattr AS x WHERE x.ino = i.ino)`

/** The number of columns that `inodeColumns` selects. */
export const inodeColumnCount = integerColumns.length + 2

/** What rows do not hold. */
export interface InodeSettings {
  readonly entryValid: Timespec
  readonly attrValid: Timespec
  readonly bytes: (ino: number, data: number, blocks: number) => ContentBytes
  readonly directory: (ino: number, parent: number) => StoredDirectory
}

const exact = (value: unknown) => normal(BigInt(String(value)))

const xattrsOf = (value: unknown): Xattrs => {
  const xattrs: Xattrs = new Map()
  if (value === null) return xattrs
  const bytes = bytesOf(value)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at < bytes.length;) {
    const nameEnd = at + 8 + view.getInt32(at)
    const end = nameEnd + view.getInt32(at + 4)
    const name = nameFromBytes(bytes.slice(at + 8, nameEnd))
    xattrs.set(nameKey(name), { name, value: bytes.slice(nameEnd, end) })
    at = end
  }
  return xattrs
}

/** Makes an inode of what `inodeColumns` selected. */
export const inodeOf = (row: Row, settings: InodeSettings): Inode => {
  const [ino, ...columns] = row
  const inode = inodeOfColumns(whole(ino), columns, exact, settings)
  const [data, parent, target, xattrs] = columns.slice(attributeColumnCount)
  inode.xattrs = xattrsOf(xattrs)
  if (target !== null) inode.content = nameFromBytes(bytesOf(target).slice())
  else if (parent !== null) inode.content = settings.directory(inode.ino, whole(parent))
  else if (data !== null) inode.content = settings.bytes(inode.ino, whole(data), inode.blocks / 8)
  return inode
}

/** The integers of a row, in the order of `integerColumns`. */
export const integersOf = (inode: Inode): ReadonlyArray<number | bigint | null> => {
  const { content } = inode
  return [
    inode.ino,
    ...attributeColumns(inode),
    content instanceof ContentBytes ? content.id : null,
    content instanceof StoredDirectory ? content.parentIno : null
  ]
}

/** A symlink's target, as it is stored. */
export const targetOf = ({ content }: Inode): Uint8Array | undefined =>
  typeof content === "string" || content instanceof Uint8Array ? nameToBytes(content) : undefined
