/** Serves the tree of an archive, read-only: a node id is an entry's number and one. */
import { type Attr, type Dirent, type Entry, openFlags, openReplyFlags, statMode, type U64 } from "@bickford/protocol"
import { type Backend, Errno, type ErrnoError, errnoOf } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { ArchiveIndex } from "./ArchiveIndex.ts"

/** An entry that is open for reading. */
export interface OpenEntry {
  /** Bytes from `offset` on, fewer than `size` at the end. */
  readonly read: (size: number, offset: number) => Promise<Uint8Array>
  readonly close: () => void
}

/** What an archive's format knows. */
export interface ArchiveReader {
  readonly index: ArchiveIndex
  /** Opens a file, which is not read yet. */
  readonly open: (entry: number) => OpenEntry
}

const { S_IFLNK, S_IFMT } = statMode
const { FOPEN_KEEP_CACHE } = openReplyFlags
const { O_ACCMODE } = openFlags
const blockSize = 4096
/** Nothing in an archive changes. */
const forever = { sec: 86_400, nsec: 0 }
const longestTarget = 4095

const attrOf = (index: ArchiveIndex, entry: number): Attr => {
  const { mode, mtime, size } = index.get(entry)
  const sec = Math.floor(mtime)
  const time = { sec, nsec: Math.round((mtime - sec) * 1e9) }
  return {
    ino: entry + 1,
    size,
    blocks: Math.ceil(size / blockSize) * 8,
    atime: time,
    mtime: time,
    ctime: time,
    mode,
    nlink: index.isDirectory(entry) ? 2 : 1,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    rdev: 0,
    blksize: blockSize,
    flags: 0
  }
}

/** A backend out of what a format's reader knows. What cannot be read is EIO, and a line in the log names the entry. */
export const archiveBackend = (source: string, { index, open }: ArchiveReader): Backend => {
  const opened = new Map<U64, OpenEntry>()
  let last = 0

  const at = (nodeid: U64): number | undefined => {
    const entry = Number(nodeid) - 1
    return entry < index.count ? entry : undefined
  }

  const damaged = (entry: number, error: unknown): Effect.Effect<never, ErrnoError> => {
    // Only what was meant for the caller: zlib's own numbers look like error numbers.
    const errno = Exit.isExit(error) ? errnoOf(error) : undefined
    if (errno !== undefined) return Effect.fail(errno)
    const reason = error instanceof Error ? error.message : String(error)
    return Effect.andThen(Effect.logError(`${source}: ${index.path(entry)} cannot be read: ${reason}`), Errno.EIO)
  }

  const reading = (entry: number, file: OpenEntry, size: number, offset: number) =>
    Effect.catch(Effect.tryPromise({ try: () => file.read(size, offset), catch: (error) => error }), (error) =>
      damaged(entry, error)
    )

  const entryOf = (entry: number): Entry => ({
    nodeid: entry + 1,
    generation: 0,
    entryValid: forever,
    attrValid: forever,
    attr: attrOf(index, entry)
  })

  function* listing(directory: number, after: number | undefined): Generator<Dirent, void, undefined> {
    for (const entry of index.children(directory, after))
      yield { ino: entry + 1, off: entry + 1, type: index.mode(entry) >>> 12, name: index.name(entry) }
  }

  return {
    lookup: ({ name, nodeid }) => {
      const directory = at(nodeid)
      if (directory === undefined) return Errno.ESTALE
      const found = index.find(directory, typeof name === "string" ? Buffer.from(name) : name)
      return found === undefined ? Errno.ENOENT : Exit.succeed(entryOf(found))
    },
    getattr: ({ nodeid }) => {
      const entry = at(nodeid)
      return entry === undefined ? Errno.ESTALE : Exit.succeed({ attrValid: forever, attr: attrOf(index, entry) })
    },
    readlink: ({ nodeid }) => {
      const entry = at(nodeid)
      if (entry === undefined) return Errno.ESTALE
      const { mode, size, target } = index.get(entry)
      if ((mode & S_IFMT) !== S_IFLNK) return Errno.EINVAL
      if (target !== undefined) return Exit.succeed(target)
      if (size === 0 || size > longestTarget) return damaged(entry, new Error(`a link with a target of ${size} bytes`))
      const file = open(entry)
      return Effect.ensuring(
        Effect.map(reading(entry, file, size, 0), (bytes) => Buffer.from(bytes).toString()),
        Effect.sync(file.close)
      )
    },
    open: ({ flags, nodeid }) => {
      const entry = at(nodeid)
      if (entry === undefined) return Errno.ESTALE
      if ((flags & O_ACCMODE) !== 0) return Errno.EROFS
      const fh = ++last
      opened.set(fh, open(entry))
      return Exit.succeed({ fh, openFlags: FOPEN_KEEP_CACHE })
    },
    read: ({ fh, nodeid, offset, size }) => {
      const file = opened.get(fh)
      const entry = at(nodeid)
      return file === undefined || entry === undefined ? Errno.EBADF : reading(entry, file, size, Number(offset))
    },
    release: ({ fh }) => {
      opened.get(fh)?.close()
      opened.delete(fh)
      return Exit.void
    },
    readdir: ({ nodeid, offset }) => {
      const directory = at(nodeid)
      if (directory === undefined) return Errno.ESTALE
      if (!index.isDirectory(directory)) return Errno.ENOTDIR
      return Exit.succeed(listing(directory, offset === 0 ? undefined : Number(offset) - 1))
    },
    statfs: () =>
      Exit.succeed({
        blocks: 0,
        bfree: 0,
        bavail: 0,
        files: index.count,
        ffree: 0,
        bsize: blockSize,
        namelen: 255,
        frsize: blockSize
      }),
    pathOf: (nodeid) => {
      const entry = at(nodeid)
      return entry === undefined ? undefined : entry === 0 ? "/" : `/${index.path(entry)}`
    }
  }
}
