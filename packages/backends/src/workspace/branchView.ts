/** A branch and its base to look at: the branch's rows, and files of the base by their paths. */
import * as Data from "effect/Data"
import { nameFromBytes, type Timespec } from "@bickford/protocol"
import { files } from "@bickford/transport"
import { readlinkSync, readSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import type { Attributes, Identity } from "../passthrough/attributes.ts"
import type { Xattrs } from "../posix/xattr.ts"
import { prepareQuery, type Query } from "../sqlite/query.ts"
import { readXattrs } from "./baseFiles.ts"
import { readEntries } from "./baseListing.ts"
import type { Version } from "./baseNode.ts"
import { type BranchPath, joinPath, lastName, parentOf, pathBytes, pathFromBytes } from "./branchPath.ts"

/** What a look at a base file saw. */
export interface BaseStat {
  readonly identity: Identity
  readonly version: Version
  readonly mode: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  readonly rdev: number
  readonly size: number
  readonly atime: Timespec
  readonly mtime: Timespec
}

/** The stored chunks of files, asked for once a file: each query is prepared once. */
interface ChunkQueries {
  readonly at: Query<[blocks: number, bytes: Uint8Array]>
  readonly positions: Query<[position: number]>
  /** How many there are before a position. */
  readonly countBefore: Query<[count: number]>
}

const chunkQueries = (db: DatabaseSync): ChunkQueries => ({
  at: prepareQuery(db, "SELECT blocks, bytes FROM chunk WHERE data = ? AND position = ?"),
  positions: prepareQuery(db, "SELECT position FROM chunk WHERE data = ?"),
  countBefore: prepareQuery(db, "SELECT count(*) FROM chunk WHERE data = ? AND position < ?")
})

export interface BranchView {
  readonly db: DatabaseSync
  readonly chunks: ChunkQueries
  readonly rootFd: number
  /** A path of the base directory that leads past a mount over it. */
  readonly directory: string
  readonly rootDevice: number
  /** What is at a path of the base; undefined when there is nothing. */
  readonly stat: (path: BranchPath) => BaseStat | undefined
  readonly xattrs: (path: BranchPath) => Xattrs
  readonly target: (path: BranchPath) => Uint8Array
  /** Makes a device, pipe or socket. `rdev` as the kernel's new_encode_dev. */
  readonly makeNode: (path: BranchPath, mode: number, rdev: number) => void
  /** The names in a directory of the base. */
  readonly names: (path: BranchPath) => ReadonlyArray<BranchPath>
  /** Calls `body` with a function that reads the file's bytes from an offset on, as many as there are. */
  readonly reading: <A>(path: BranchPath, body: (read: (offset: number, length: number) => Uint8Array) => A) => A
}

/** The absolute path of a file of the base, past a mount over it. */
export const absolute = ({ directory }: Pick<BranchView, "directory">, path: BranchPath): Buffer =>
  path === "" ? Buffer.from(directory) : Buffer.concat([Buffer.from(`${directory}/`), pathBytes(path)])

class BaseUnreadable extends Data.TaggedError("BaseUnreadable")<{ readonly message: string }> {}

const unreadable = (path: BranchPath): BaseUnreadable =>
  new BaseUnreadable({
    message: `${String(nameFromBytes(pathBytes(path)))}: the base has it no more, or it may not be read`
  })

/** `rootFd` is the base directory, open; `attributes` tells what the last look saw. */
export const makeBranchView = (db: DatabaseSync, rootFd: number, attributes: Attributes): BranchView => {
  const withFile = <A>(path: BranchPath, use: (fd: number) => A): A | undefined => {
    if (path === "") return files.fs_stat(rootFd) < 0 ? undefined : use(rootFd)
    const fd = files.fs_find_path(rootFd, pathBytes(path))
    if (fd < 0) return undefined
    try {
      return use(fd)
    } finally {
      files.fs_close(fd)
    }
  }
  files.fs_stat(rootFd)
  const directory = `/proc/self/fd/${rootFd}`
  return {
    db,
    chunks: chunkQueries(db),
    rootFd,
    directory,
    rootDevice: attributes.device(),
    stat: (path) =>
      withFile(path, () => {
        const { atime, gid, mode, mtime, nlink, rdev, size, uid } = attributes.attr()
        const version = { size, mtime, ctime: attributes.ctime() }
        return {
          identity: attributes.identity(),
          version,
          mode,
          nlink,
          uid,
          gid,
          rdev,
          size: Number(size),
          atime,
          mtime
        }
      }),
    xattrs: (path) => withFile(path, readXattrs) ?? new Map(),
    target: (path) => readlinkSync(absolute({ directory }, path), { encoding: "buffer" }),
    makeNode: (path, mode, rdev) => {
      const made = withFile(parentOf(path), (folder) => files.fs_mknod(folder, pathBytes(lastName(path)), mode, rdev))
      if (made !== 0) throw unreadable(path)
    },
    names: (path) =>
      withFile(path, (held) => {
        const fd = files.fs_open(held, 0o200000, 0)
        if (fd < 0) throw unreadable(path)
        try {
          const entries = readEntries(fd)
          if (typeof entries === "number") throw unreadable(path)
          return entries.map(({ name }) =>
            typeof name === "string" ? pathFromBytes(Buffer.from(name)) : pathFromBytes(name)
          )
        } finally {
          files.fs_close(fd)
        }
      }) ?? [],
    reading: (path, body) => {
      const read = withFile(path, (held) => {
        const fd = files.fs_open(held, 0, 0)
        if (fd < 0) throw unreadable(path)
        try {
          return { value: body((offset, length) => readFrom(fd, offset, length)) }
        } finally {
          files.fs_close(fd)
        }
      })
      if (read === undefined) throw unreadable(path)
      return read.value
    }
  }
}

const readFrom = (fd: number, offset: number, length: number): Uint8Array => {
  const into = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const count = readSync(fd, into, done, length - done, offset + done)
    if (count === 0) break
    done += count
  }
  return into.subarray(0, done)
}

/** All paths at and below a path of the base, directories before what is in them. */
export function* walkBase(view: BranchView, path: BranchPath): Generator<readonly [BranchPath, BaseStat]> {
  const stat = view.stat(path)
  if (stat === undefined) return
  yield [path, stat]
  if ((stat.mode & 0o170000) !== 0o040000) return
  for (const name of view.names(path)) yield* walkBase(view, joinPath(path, name))
}
