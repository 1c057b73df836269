/** The operations of fuse-native: a path, the arguments, and a callback that takes an error number first. */

/** What `getattr` answers. Times are Dates, or milliseconds since the epoch; the present where they are missing. */
export interface Stat {
  readonly mode: number
  readonly size?: number
  readonly nlink?: number
  readonly uid?: number
  readonly gid?: number
  readonly ino?: number
  readonly rdev?: number
  readonly blocks?: number
  readonly atime?: Date | number
  readonly mtime?: Date | number
  readonly ctime?: Date | number
}

/** What `statfs` answers. */
export interface Statfs {
  readonly bsize?: number
  readonly frsize?: number
  readonly blocks?: number
  readonly bfree?: number
  readonly bavail?: number
  readonly files?: number
  readonly ffree?: number
  readonly namemax?: number
}

/** Answers with 0, or an error number that is negative. */
export type Done = (error: number | null | undefined) => void

/** Answers with an error number, or 0 and a value. */
export type Answered<A> = (error: number | null | undefined, value?: A) => void

/** All may be left out. `fd` is the number that `open`, `create` or `opendir` answered. */
export interface Operations {
  /** Before anything else is asked. */
  readonly init?: (cb: Done) => void
  /** access(2), where the kernel checks no permissions. */
  readonly access?: (path: string, mode: number, cb: Done) => void
  /** statvfs(3). */
  readonly statfs?: (path: string, cb: Answered<Statfs>) => void
  /** stat(2). */
  readonly getattr?: (path: string, cb: Answered<Stat>) => void
  /** As `getattr`, which is called in its place. */
  readonly fgetattr?: (path: string, fd: number, cb: Answered<Stat>) => void
  /** At every close(2). */
  readonly flush?: (path: string, fd: number, cb: Done) => void
  /** fsync(2). */
  readonly fsync?: (path: string, datasync: boolean, fd: number, cb: Done) => void
  /** fsync(2) of a directory. */
  readonly fsyncdir?: (path: string, datasync: boolean, fd: number, cb: Done) => void
  /** The names in a directory. */
  readonly readdir?: (path: string, cb: Answered<ReadonlyArray<string>>) => void
  /** truncate(2). */
  readonly truncate?: (path: string, size: number, cb: Done) => void
  /** As `truncate`, which is called in its place. */
  readonly ftruncate?: (path: string, fd: number, size: number, cb: Done) => void
  /** readlink(2). */
  readonly readlink?: (path: string, cb: Answered<string>) => void
  /** chown(2); -1 leaves one as it is. */
  readonly chown?: (path: string, uid: number, gid: number, cb: Done) => void
  /** chmod(2). */
  readonly chmod?: (path: string, mode: number, cb: Done) => void
  /** mknod(2). */
  readonly mknod?: (path: string, mode: number, dev: number, cb: Done) => void
  /** setxattr(2). */
  readonly setxattr?: (path: string, name: string, value: Buffer, position: number, flags: number, cb: Done) => void
  /** getxattr(2); no value is ENODATA. */
  readonly getxattr?: (path: string, name: string, position: number, cb: Answered<Buffer | null>) => void
  /** listxattr(2). */
  readonly listxattr?: (path: string, cb: Answered<ReadonlyArray<string>>) => void
  /** removexattr(2). */
  readonly removexattr?: (path: string, name: string, cb: Done) => void
  /** open(2); answers a number that comes back as `fd`. */
  readonly open?: (path: string, flags: number, cb: Answered<number>) => void
  /** opendir(3); likewise. */
  readonly opendir?: (path: string, flags: number, cb: Answered<number>) => void
  /** Fills `buffer` and answers how many bytes it did, or an error number. */
  readonly read?: (
    path: string,
    fd: number,
    buffer: Buffer,
    length: number,
    position: number,
    cb: (bytes: number) => void
  ) => void
  /** Answers how many bytes it took, or an error number. `buffer` is the operation's until then. */
  readonly write?: (
    path: string,
    fd: number,
    buffer: Buffer,
    length: number,
    position: number,
    cb: (bytes: number) => void
  ) => void
  /** The last descriptor of an opening was closed. */
  readonly release?: (path: string, fd: number, cb: Done) => void
  /** As `release`, of a directory. */
  readonly releasedir?: (path: string, fd: number, cb: Done) => void
  /** open(2) of a new file; `mode` with its type. */
  readonly create?: (path: string, mode: number, cb: Answered<number>) => void
  /** Times in milliseconds since the epoch. */
  readonly utimens?: (path: string, atime: number, mtime: number, cb: Done) => void
  /** unlink(2). */
  readonly unlink?: (path: string, cb: Done) => void
  /** rename(2). */
  readonly rename?: (path: string, newPath: string, cb: Done) => void
  /** link(2). */
  readonly link?: (path: string, newPath: string, cb: Done) => void
  /** symlink(2). */
  readonly symlink?: (target: string, path: string, cb: Done) => void
  /** mkdir(2). */
  readonly mkdir?: (path: string, mode: number, cb: Done) => void
  /** rmdir(2). */
  readonly rmdir?: (path: string, cb: Done) => void
}
