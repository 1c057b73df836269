/** Mounts anything with the shape of `node:fs/promises`. */
import { type PathAttributes, type PathCallbacks, PathFilesystem } from "@bickford/backends"
import { openFlags, statMode, type Timespec, type U64 } from "@bickford/protocol"
import { type Backend, Errno } from "@bickford/session"
import { attributesOf } from "./attributes.ts"
import type { FsLike, Maybe } from "./FsLike.ts"
import { handleFiles } from "./handleFiles.ts"
import { keep, type KeptAttributes, makeKept, outdate, withKept } from "./kept.ts"
import { chain, codeOf, recover } from "./maybe.ts"
import type { Opener, OpenFile } from "./OpenFile.ts"
import { isNodes, renameOf } from "./renaming.ts"
import { type Ownership, settle } from "./settle.ts"
import { nodeTime, now } from "./times.ts"
import { watchChanges } from "./watchChanges.ts"
import { wholeFiles } from "./wholeFiles.ts"

const { O_ACCMODE, O_EXCL } = openFlags
const { S_IFLNK, S_IFMT, S_IFREG } = statMode

/** How a filesystem of Node's shape is mounted. */
export interface FromFsOptions extends PathFilesystem.PathOptions {
  /** The directory that becomes the mount's root. Default `/`. */
  readonly root?: string
  /**
   * Follows `fs.watch`, so that what changes by another way is seen in the mount at once instead of after the timeouts.
   * Default: false.
   */
  readonly watch?: boolean
  /**
   * The largest size of a file, in bytes; beyond it EFBIG. Default: 1 GiB, since most of these filesystems keep every byte of
   * a file in memory, holes too; no limit for `node:fs/promises`.
   */
  readonly maxFileSize?: number
}

/** An offset; beyond 2^53 there is none that a Node filesystem knows. */
const numberOf = (value: U64, most = Number.MAX_SAFE_INTEGER): number => {
  const number = Number(value)
  if (number > most) throw Errno.EFBIG
  return number
}

/** Names of the kernel's that are no UTF-8 have a mark that no string of a Node filesystem's has. */
const bytesMark = "\udcff"

/** What all callbacks share. */
interface Face {
  readonly fs: FsLike
  /** The path in `fs`. */
  readonly at: (path: string) => string
  readonly kept: KeptAttributes | undefined
  readonly files: Opener
  readonly maxFileSize: number
  readonly attributes: (path: string) => Maybe<PathAttributes>
}

const ordinaryMaxFileSize = 2 ** 30

const makeFace = (
  fs: FsLike,
  root: string,
  maxFileSize = isNodes(fs) ? Number.MAX_SAFE_INTEGER : ordinaryMaxFileSize
): Face => {
  const setsOwner = fs.chown !== undefined || fs.lchown !== undefined
  const keepsAll = fs.chmod !== undefined && fs.utimes !== undefined && setsOwner
  const kept = keepsAll ? undefined : makeKept()
  const files = fs.open === undefined ? wholeFiles(fs, kept) : handleFiles(fs, fs.open, kept)
  const lstat = fs.lstat ?? fs.stat
  const above = root.replace(/\/+$/, "")
  return {
    fs,
    kept,
    files,
    maxFileSize,
    at: (path) => {
      if (path.includes(bytesMark)) throw Errno.EILSEQ
      return path === "/" && above !== "" ? above : above + path
    },
    attributes: (path) =>
      chain(lstat.call(fs, path, { bigint: true }), (stats) => {
        const found = withKept(attributesOf(stats), kept?.get(path))
        // Some do not know how long a link's target is.
        if (found.size === 0 && fs.readlink !== undefined && stats.isSymbolicLink())
          return chain(fs.readlink(path), (target) => ({ ...found, size: Buffer.byteLength(textOf(target)) }))
        const size = files.sizeOf(path)
        return size === undefined ? found : { ...found, size }
      })
  }
}

const done = (): void => undefined

/** Setting attributes, by path: in the filesystem, or else kept here. */
const attributeCallbacks = ({ at, attributes, files, fs, kept, maxFileSize }: Face) => {
  const set = (path: string, values: Parameters<typeof keep>[2]): void => {
    if (kept === undefined) throw Errno.EPERM
    keep(kept, path, { ...values, ctime: now() })
  }
  const chmod = (path: string, mode: number): Maybe<void> =>
    fs.chmod === undefined ? set(path, { mode }) : chain(fs.chmod(path, mode), done)
  const chown = (path: string, uid: number, gid: number): Maybe<void> => {
    const change = (found: PathAttributes): Maybe<void> => {
      const owner = uid < 0 ? (found.uid ?? 0) : uid
      const group = gid < 0 ? (found.gid ?? 0) : gid
      if (fs.lchown !== undefined) return chain(fs.lchown(path, owner, group), done)
      if (fs.chown === undefined) return set(path, { uid: owner, gid: group })
      // It would change what a link leads to.
      const isLink = (found.mode & S_IFMT) === S_IFLNK
      return isLink ? undefined : chain(fs.chown(path, owner, group), done)
    }
    return chain(attributes(path), change)
  }
  const utimens = (path: string, atime: Timespec | undefined, mtime: Timespec | undefined): Maybe<void> => {
    if (fs.utimes === undefined) return set(path, { ...(atime && { atime }), ...(mtime && { mtime }) })
    return chain(attributes(path), (found) => {
      const change = (found.mode & S_IFMT) === S_IFLNK ? fs.lutimes : (fs.lutimes ?? fs.utimes)
      // A link's own times, where they cannot be set, are nobody's concern.
      return change === undefined
        ? undefined
        : chain(change.call(fs, path, nodeTime(atime ?? found.atime), nodeTime(mtime ?? found.mtime)), done)
    })
  }
  return {
    ownership: { attributes, chmod, chown } satisfies Ownership,
    callbacks: {
      chmod: (path, mode) => chmod(at(path), mode),
      chown: (path, uid, gid) => chown(at(path), uid, gid),
      utimens: (path, atime, mtime) => utimens(at(path), atime, mtime),
      truncate: (path, size) => files.truncate(at(path), numberOf(size, maxFileSize))
    } satisfies Partial<PathCallbacks<OpenFile>>
  }
}

/** Open files. */
const fileCallbacks = ({ at, files, fs, kept, maxFileSize }: Face, ownership: Ownership) =>
  ({
    open: (path, flags) => files.open(at(path), flags & O_ACCMODE),
    create: (path, mode, flags, context) => {
      const place = at(path)
      return chain(files.make(place, mode, flags & O_ACCMODE, (flags & O_EXCL) !== 0), (file) =>
        chain(
          recover(
            () => settle(ownership, place, mode, context),
            (error) => chain(file.close(place), () => Promise.reject(error))
          ),
          () => file
        )
      )
    },
    read: (file, size, offset) => file.read(size, numberOf(offset)),
    write: (file, data, offset) => file.write(data, numberOf(offset, maxFileSize - data.length)),
    flush: (file, path) => file.flush(path && at(path)),
    fsync: (file, path) => file.sync(path && at(path)),
    release: (file, path) => file.close(path && at(path)),
    ...(fs.open === undefined ? {} : handleCallbacks(kept, maxFileSize))
  }) satisfies Partial<PathCallbacks<OpenFile>>

/** Of files that were removed while they are open. */
const handleCallbacks = (kept: KeptAttributes | undefined, maxFileSize: number) => {
  const set = (file: OpenFile, values: object): void => {
    if (kept === undefined || file.kept === undefined) throw Errno.ENOTSUP
    Object.assign(file.kept, values, { ctime: now() })
  }
  return {
    fgetattr: (file) => chain(file.attributes(), (found) => ({ ...found, nlink: 0 })),
    ftruncate: (file, size) => file.truncate(numberOf(size, maxFileSize)),
    fchmod: (file, mode) => (file.chmod === undefined ? set(file, { mode }) : file.chmod(mode)),
    fchown: (file, uid, gid) =>
      chain(file.attributes(), (found) => {
        const owner = { uid: uid < 0 ? (found.uid ?? 0) : uid, gid: gid < 0 ? (found.gid ?? 0) : gid }
        return file.chown === undefined ? set(file, owner) : file.chown(owner.uid, owner.gid)
      }),
    futimens: (file, atime, mtime) =>
      file.utimes === undefined
        ? set(file, { ...(atime && { atime }), ...(mtime && { mtime }) })
        : chain(file.attributes(), (found) =>
            file.utimes?.(nodeTime(atime ?? found.atime), nodeTime(mtime ?? found.mtime))
          )
  } satisfies Partial<PathCallbacks<OpenFile>>
}

/** memfs counts names that were replaced by a rename, and then takes a directory that is empty for one that is not. */
const removeDirectory = (fs: FsLike, path: string): Maybe<unknown> =>
  recover(
    () => fs.rmdir?.(path),
    (error) => {
      if (codeOf(error) !== "ENOTEMPTY" || fs.rm === undefined) throw error
      return chain(fs.readdir(path), (names) => {
        if (Array.from(names).length > 0) throw error
        return fs.rm?.(path, { recursive: true })
      })
    }
  )

/** Names: making, moving and removing them. */
const nameCallbacks = ({ at, files, fs, kept }: Face, ownership: Ownership): Partial<PathCallbacks<OpenFile>> => {
  const { link, mkdir, readlink, rmdir, symlink, unlink } = fs
  const rename = renameOf(fs)
  const removed = (path: string): void => {
    kept?.delete(path)
    files.removed(path)
  }
  const changed = (path: string): void => outdate(kept?.get(path.slice(0, Math.max(path.lastIndexOf("/"), 1))))
  return {
    ...(mkdir && {
      mkdir: (path, mode, context) => {
        const place = at(path)
        changed(place)
        return chain(mkdir.call(fs, place, { mode: mode & 0o777 }), () => settle(ownership, place, mode, context))
      }
    }),
    mknod: (path, mode, _rdev, context) => {
      // A Node filesystem has files, directories and links.
      if ((mode & S_IFMT) !== S_IFREG) throw Errno.EPERM
      const place = at(path)
      return chain(files.make(place, mode & 0o7777, openFlags.O_WRONLY, true), (file) =>
        chain(file.close(place), () => settle(ownership, place, mode & 0o7777, context))
      )
    },
    ...(rmdir && { rmdir: (path) => chain(removeDirectory(fs, at(path)), () => removed(at(path))) }),
    ...(unlink && {
      unlink: (path) => {
        const place = at(path)
        changed(place)
        return chain(files.keep?.(place), () => chain(unlink.call(fs, place), () => removed(place)))
      }
    }),
    ...(rename && {
      rename: (path, newPath) =>
        chain(
          chain(files.keep?.(at(newPath)), () => rename(at(path), at(newPath))),
          () => {
            kept?.move(at(path), at(newPath))
            files.moved(at(path), at(newPath))
          }
        )
    }),
    link: (path, newPath) => {
      if (link === undefined) throw Errno.EPERM
      return chain(link.call(fs, at(path), at(newPath)), done)
    },
    symlink: (target, path, context) => {
      if (symlink === undefined) throw Errno.EPERM
      if (target.includes(bytesMark)) throw Errno.EILSEQ
      return chain(symlink.call(fs, target, at(path)), () => settle(ownership, at(path), undefined, context))
    },
    ...(readlink && { readlink: (path) => chain(readlink.call(fs, at(path)), textOf) })
  }
}

const textOf = (name: unknown): string => {
  if (typeof name === "string") return name
  if (name instanceof Uint8Array) return Buffer.from(name).toString()
  throw new TypeError("a name that is neither a string nor a Buffer")
}

/** The callbacks of a mount of `fs`. */
const fsCallbacks = (
  fs: FsLike,
  { maxFileSize, root = "/", watch = false }: FromFsOptions = {}
): PathCallbacks<OpenFile> => {
  const face = makeFace(fs, root, maxFileSize)
  const { at, attributes } = face
  const { callbacks, ownership } = attributeCallbacks(face)
  const { statfs } = fs
  const watching = watch ? new AbortController() : undefined
  return {
    getattr: (path) =>
      recover(
        () => attributes(at(path)),
        (error) => {
          if (codeOf(error) === "ENOENT") return false
          throw error
        }
      ),
    readdir: (path) => chain(fs.readdir(at(path)), (names) => Array.from(names, textOf)),
    ...callbacks,
    ...fileCallbacks(face, ownership),
    ...nameCallbacks(face, ownership),
    ...(statfs && {
      statfs: () =>
        chain(statfs.call(fs, at("/")), ({ bavail, bfree, blocks, bsize, ffree, files }) => ({
          bavail,
          bfree,
          blocks,
          bsize: Number(bsize),
          ffree,
          files
        }))
    }),
    ...(watching && {
      init: ({ changed }) => watchChanges(fs, at("/"), changed, watching.signal),
      destroy: () => watching.abort()
    })
  }
}

/**
 * Serves `fs`, anything with the shape of `node:fs/promises`: memfs (`vol.promises`), ZenFS, LightningFS, `node:fs/promises`
 * itself. Where it has `open`, files are read and written by handles; otherwise each is read whole and written back when it is
 * closed. What it cannot keep (permissions, owners or times, where it has no `chmod` or `utimes`) is kept for the life of the mount.
 */
export const fromFs = (fs: FsLike, { maxFileSize, root, watch, ...ofPaths }: FromFsOptions = {}): Backend =>
  PathFilesystem.make(
    fsCallbacks(fs, {
      ...(maxFileSize !== undefined && { maxFileSize }),
      ...(root !== undefined && { root }),
      ...(watch !== undefined && { watch })
    }),
    { interruptible: PathFilesystem.leftByKilled, ...ofPaths }
  )
