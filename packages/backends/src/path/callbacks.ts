/** What a path filesystem is made of: callbacks by path, all of them optional. */
import type { RequestContext, Timespec, U64 } from "@bickford/session"
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
  readonly nlink?: number
  /** Default: the process's. */
  readonly uid?: number
  readonly gid?: number
  /** Default: the node id. */
  readonly ino?: U64
  readonly rdev?: number
  /** In units of 512 bytes. Default: as many as `size` needs. */
  readonly blocks?: U64
  readonly atime?: Time
  readonly mtime?: Time
  readonly ctime?: Time
}

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
 * Paths begin with `/`, the root being `/`. A handle `H` is whatever `open` or `create` returned; without
 * them it is undefined. What makes files is told who asks (`caller.uid`, `gid`). `path` is undefined when the file was removed while it is open.
 */
export interface PathCallbacks<H = unknown> {
  /** `false`: there is no such file. */
  readonly getattr: (path: string) => Answer<PathAttributes | false>
  /** The names in a directory, `.` and `..` not among them. */
  readonly readdir?: (path: string) => Answer<Iterable<string>>
  /** `flags` as for open(2). */
  readonly open?: (path: string, flags: number) => Answer<H>
  /** Bytes from `offset` on; fewer than `size` only at the end. A string is taken as UTF-8. */
  readonly read?: (handle: H, size: number, offset: U64, path: string | undefined) => Answer<Uint8Array | string>
  /** Returns how many bytes were written; undefined for all. */
  readonly write?: (handle: H, data: Uint8Array, offset: U64, path: string | undefined) => Answer<number | void>
  readonly truncate?: (path: string, size: U64) => Answer<void>
  /** Makes a regular file and opens it. Default: `mknod`, then `open`. */
  readonly create?: (path: string, mode: number, flags: number, caller: RequestContext) => Answer<H>
  readonly mknod?: (path: string, mode: number, rdev: number, caller: RequestContext) => Answer<void>
  readonly mkdir?: (path: string, mode: number, caller: RequestContext) => Answer<void>
  readonly unlink?: (path: string) => Answer<void>
  readonly rmdir?: (path: string) => Answer<void>
  /** Replaces what is at `newPath`. `exchange`: swaps the two; absent flags are refused with EINVAL before it is called. */
  readonly rename?: (path: string, newPath: string) => Answer<void>
  readonly link?: (path: string, newPath: string) => Answer<void>
  readonly symlink?: (target: string, path: string, caller: RequestContext) => Answer<void>
  readonly readlink?: (path: string) => Answer<string>
  readonly chmod?: (path: string, mode: number) => Answer<void>
  /** -1 leaves one as it is. */
  readonly chown?: (path: string, uid: number, gid: number) => Answer<void>
  /** Undefined leaves one as it is. */
  readonly utimens?: (path: string, atime: Timespec | undefined, mtime: Timespec | undefined) => Answer<void>
  /** `mask` of R_OK, W_OK, X_OK. */
  readonly access?: (path: string, mask: number) => Answer<void>
  /** At every close(2) of a descriptor. */
  readonly flush?: (handle: H, path: string | undefined) => Answer<void>
  readonly fsync?: (handle: H, path: string | undefined) => Answer<void>
  /** Once for every `open` or `create` that succeeded. */
  readonly release?: (handle: H, path: string | undefined) => Answer<void>
  readonly statfs?: (path: string) => Answer<PathStatfs>
  readonly getxattr?: (path: string, name: string) => Answer<Uint8Array | string>
  readonly setxattr?: (path: string, name: string, value: Uint8Array, flags: number) => Answer<void>
  readonly listxattr?: (path: string) => Answer<Iterable<string>>
  readonly removexattr?: (path: string, name: string) => Answer<void>
  /** Data from and to the caller, as the command's number says (ioctl(2)). */
  readonly ioctl?: (handle: H, command: number, data: Uint8Array, path: string | undefined) => Answer<Uint8Array | void>
  readonly init?: () => Answer<void>
  readonly destroy?: () => Answer<void>
}
