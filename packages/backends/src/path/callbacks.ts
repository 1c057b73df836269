/** What a path filesystem is made of: callbacks by path, all of them optional. */
import type { Timespec, U64 } from "@bickford/protocol"
import type { AtimePolicy, RequestContext } from "@bickford/session"
import type { Answer } from "./outcome.ts"

/** Types for `mode`, as S_IF* of inode(7): `fileType.reg | 0o644`. */
export const fileType = {
  fifo: 0o010000,
  chr: 0o020000,
  dir: 0o040000,
  blk: 0o060000,
  reg: 0o100000,
  lnk: 0o120000,
  sock: 0o140000
} as const

/** A time: exact, a Date, or seconds. */
export type Time = Timespec | Date | number

/** As stat(2) has it; what is left out has a default. */
export interface PathAttributes {
  /** Type and permissions. */
  readonly mode: number
  /** Bytes. Undefined when nobody knows: the file is then read to its end, past the kernel's cache. Default 0 for what is no regular file. */
  readonly size?: U64 | undefined
  /** Default: 2 for a directory, else 1. */
  readonly nlink?: number | undefined
  /** Default: the process's. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  /** Default, also for 0: the node id. */
  readonly ino?: U64 | undefined
  readonly rdev?: number | undefined
  /** In units of 512 bytes. Default: as many as `size` needs, in blocks of 4096; a filesystem whose files have holes says how many. */
  readonly blocks?: U64 | undefined
  readonly atime?: Time | undefined
  readonly mtime?: Time | undefined
  readonly ctime?: Time | undefined
}

/** What callbacks may need to know of the mount that they serve. */
export interface PathMount {
  /** How the mount has times of reading kept (`-o noatime` and its kin): `read` and `readdir` follow it, the kernel does not. */
  readonly atime: AtimePolicy
  /**
   * Tells the kernel that what is at `path` has changed by another way than this mount: it looks the name up again, and
   * drops the attributes and pages that it keeps. Returns at once; a path that the kernel does not know is no error.
   */
  readonly changed: (path: string) => void
}

/** What `statfs` answers, as statvfs(3) has it; what is left out has a default. */
export interface PathStatfs {
  /** Default 4096. */
  readonly bsize?: number
  readonly blocks?: U64
  readonly bfree?: U64
  readonly bavail?: U64
  readonly files?: U64
  readonly ffree?: U64
  /** Default 255. */
  readonly namelen?: number
}

/**
 * Each callback may return a value, a Promise or an Effect, and fails by throwing (or failing with) an
 * errno: `Errno.EACCES`, a Node error with its `code`, an error number. What is absent answers ENOSYS.
 * Paths begin with `/`, the root being `/`; names that are no UTF-8 begin with U+DCFF, and have a character
 * for each byte. A handle `H` is whatever `open` or `create` returned; without them it is undefined. `path`
 * is undefined when the file was removed while it is open. `context` is the caller's: its uid, gid, groups.
 *
 * `false` fails the call with ENOENT, whatever the callback. An answer that is none (a `getattr` that forgets its
 * `return`, a size that is text) is EIO for the caller, and a sentence in the log that names the callback, the path and
 * what was expected.
 *
 * While a callback with a path is working, that path does not change: renames and removals of it wait.
 */
export interface PathCallbacks<H = unknown> {
  /** `false`: there is no such file. */
  readonly getattr: (path: string, context: RequestContext) => Answer<PathAttributes | false>
  /** The names in a directory; `.` and `..` are there without being listed. */
  readonly readdir?: (path: string, context: RequestContext) => Answer<Iterable<string>>
  /** `flags` as for open(2), less what concerns creating and truncating. */
  readonly open?: (path: string, flags: number, context: RequestContext) => Answer<H>
  /**
   * Bytes from `offset` on; fewer than `size` only at the end, unless the size is unknown. A string is taken as UTF-8. A
   * number says how many bytes of `buffer`, from its beginning, are the answer. `buffer` has `size` bytes, all zero, is
   * the callback's alone, and is there for a `read` that declares six parameters or takes its arguments as `...rest`.
   */
  readonly read?: (
    handle: H,
    size: number,
    offset: U64,
    path: string | undefined,
    context: RequestContext,
    buffer: Uint8Array
  ) => Answer<Uint8Array | string | number>
  /** Returns how many bytes were written; undefined for all. `data` is the callback's until its answer is there. */
  readonly write?: (
    handle: H,
    data: Uint8Array,
    offset: U64,
    path: string | undefined,
    context: RequestContext
  ) => Answer<number | void>
  /** Sets a file's size (truncate(2)); `handle` is the open file's of ftruncate(2), undefined by path. */
  readonly truncate?: (path: string, size: U64, context: RequestContext, handle: H | undefined) => Answer<void>
  /**
   * The attributes of an open file that has been removed. With it a file is removed though it is open, and
   * must live on in its handles; without it, such a file is renamed until it is closed.
   */
  readonly fgetattr?: (handle: H, context: RequestContext) => Answer<PathAttributes>
  /** As `truncate`, of an open file that has been removed. */
  readonly ftruncate?: (handle: H, size: U64, context: RequestContext) => Answer<void>
  /** As `chmod`, `chown`, `utimens`, of an open file that has been removed. Without one its holders see what they set, until it is closed. */
  readonly fchmod?: (handle: H, mode: number, context: RequestContext) => Answer<void>
  /** As `chown`, of an open file that has been removed. */
  readonly fchown?: (handle: H, uid: number, gid: number, context: RequestContext) => Answer<void>
  /** As `utimens`, of an open file that has been removed. */
  readonly futimens?: (
    handle: H,
    atime: Timespec | undefined,
    mtime: Timespec | undefined,
    context: RequestContext
  ) => Answer<void>
  /** As `getxattr` and its kin, of an open file that has been removed. Without one: EOPNOTSUPP. */
  readonly fgetxattr?: (handle: H, name: string, context: RequestContext) => Answer<Uint8Array | string>
  /** As `setxattr`, of an open file that has been removed. */
  readonly fsetxattr?: (
    handle: H,
    name: string,
    value: Uint8Array,
    flags: number,
    context: RequestContext
  ) => Answer<void>
  /** As `listxattr`, of an open file that has been removed. */
  readonly flistxattr?: (handle: H, context: RequestContext) => Answer<Iterable<string>>
  /** As `removexattr`, of an open file that has been removed. */
  readonly fremovexattr?: (handle: H, name: string, context: RequestContext) => Answer<void>
  /**
   * Opens once more an open file that has been removed (`/proc/self/fd/N`). Default: a handle that was opened for as
   * much is shared, and released with the last of those who share it.
   */
  readonly reopen?: (handle: H, flags: number, context: RequestContext) => Answer<H>
  /** Makes a regular file and opens it. Default: `mknod`, then `open`. */
  readonly create?: (path: string, mode: number, flags: number, context: RequestContext) => Answer<H>
  /** `mode` with the type, S_IF*; a device's number is makedev(3)'s, in 32 bits. */
  readonly mknod?: (path: string, mode: number, rdev: number, context: RequestContext) => Answer<void>
  /** Makes a directory (mkdir(2)). */
  readonly mkdir?: (path: string, mode: number, context: RequestContext) => Answer<void>
  /** Removes a name of what is no directory (unlink(2)). */
  readonly unlink?: (path: string, context: RequestContext) => Answer<void>
  /** Removes an empty directory (rmdir(2)). */
  readonly rmdir?: (path: string, context: RequestContext) => Answer<void>
  /** Replaces what is at `newPath`. */
  readonly rename?: (path: string, newPath: string, context: RequestContext) => Answer<void>
  /** Swaps the two (RENAME_EXCHANGE). Without it that is refused with EINVAL. */
  readonly exchange?: (path: string, newPath: string, context: RequestContext) => Answer<void>
  /** Gives a file another name (link(2)). */
  readonly link?: (path: string, newPath: string, context: RequestContext) => Answer<void>
  /** Makes a symbolic link to `target` (symlink(2)). */
  readonly symlink?: (target: string, path: string, context: RequestContext) => Answer<void>
  /** A symbolic link's target (readlink(2)). */
  readonly readlink?: (path: string, context: RequestContext) => Answer<string>
  /** Sets permissions (chmod(2)); `mode` without the type. */
  readonly chmod?: (path: string, mode: number, context: RequestContext) => Answer<void>
  /** -1 leaves one as it is. */
  readonly chown?: (path: string, uid: number, gid: number, context: RequestContext) => Answer<void>
  /** Undefined leaves one as it is. */
  readonly utimens?: (
    path: string,
    atime: Timespec | undefined,
    mtime: Timespec | undefined,
    context: RequestContext
  ) => Answer<void>
  /** `mask` of R_OK, W_OK, X_OK. Asked only where the mount leaves permissions to the server (`defaultPermissions: false`). */
  readonly access?: (path: string, mask: number, context: RequestContext) => Answer<void>
  /** `mode` of FALLOC_FL_*: KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE. */
  readonly fallocate?: (
    handle: H,
    mode: number,
    offset: U64,
    length: U64,
    path: string | undefined,
    context: RequestContext
  ) => Answer<void>
  /** Where the next data (SEEK_DATA) or hole (SEEK_HOLE) is, from `offset` on. Without it a file has no holes. */
  readonly lseek?: (
    handle: H,
    offset: U64,
    whence: number,
    path: string | undefined,
    context: RequestContext
  ) => Answer<U64>
  /** At every close(2) of a descriptor. */
  readonly flush?: (handle: H, path: string | undefined, context: RequestContext) => Answer<void>
  /** Makes a file safe from a power cut (fsync(2)); `dataOnly`: its content and size suffice (fdatasync(2)). */
  readonly fsync?: (handle: H, path: string | undefined, context: RequestContext, dataOnly: boolean) => Answer<void>
  /** Once for every `open` or `create` that succeeded; also for those whose caller did not wait, or that an unmount leaves open. */
  readonly release?: (handle: H, path: string | undefined) => Answer<void>
  /** Describes the filesystem (statvfs(3)). */
  readonly statfs?: (path: string, context: RequestContext) => Answer<PathStatfs>
  /** An extended attribute's value; fails with ENODATA where there is none (getxattr(2)). */
  readonly getxattr?: (path: string, name: string, context: RequestContext) => Answer<Uint8Array | string>
  /** `flags` of XATTR_CREATE, XATTR_REPLACE. */
  readonly setxattr?: (
    path: string,
    name: string,
    value: Uint8Array,
    flags: number,
    context: RequestContext
  ) => Answer<void>
  /** The names of the extended attributes (listxattr(2)). */
  readonly listxattr?: (path: string, context: RequestContext) => Answer<Iterable<string>>
  /** Removes an extended attribute (removexattr(2)). */
  readonly removexattr?: (path: string, name: string, context: RequestContext) => Answer<void>
  /** Data from and to the caller, as the command's number says (ioctl(2)). */
  readonly ioctl?: (
    handle: H,
    command: number,
    data: Uint8Array,
    path: string | undefined,
    context: RequestContext
  ) => Answer<Uint8Array | void>
  /** Before anything else is called, and again when the filesystem is started anew. */
  readonly init?: (mount: PathMount) => Answer<void>
  /** After everything else, when the mount has ended. */
  readonly destroy?: () => Answer<void>
}
