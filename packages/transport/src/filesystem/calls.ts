/**
 * System calls on files that Node lacks, by descriptor number: made at once, on the calling thread, but for
 * those that return a promise. Each returns what the call returns, or a negative errno. A name is one
 * component in the folder given, and never followed when it is a symlink; `.`, `..` and anything with a slash
 * are EINVAL. Whoever opens a descriptor closes it.
 */

/** Of a file: text, or the bytes of what is no UTF-8. */
export type FileName = string | Uint8Array

/** 64 bits: a bigint where a number is not exact. */
export type Wide = number | bigint

/** System calls on files, for backends: synchronous, each answers a number or a negative errno. */
export interface FilesystemCalls {
  /** The words that the last look at a file has filled; see `attributeWords`. */
  readonly fs_attributes: () => ArrayBuffer
  /** open(2) of a folder by its path, O_PATH. */
  readonly fs_open_folder: (path: FileName) => number
  /** Pairs of major and minor: the filesystems of which calls that follow a name ask nothing, but give -EDEADLK. */
  readonly fs_set_own_devices: (devices: Uint32Array) => number
  /** statx(2) of a name; fills the attributes. */
  readonly fs_look: (folder: number, name: FileName) => number
  /** openat2(2) of a name, O_PATH, beneath its folder; fills the attributes. */
  readonly fs_find: (folder: number, name: FileName) => number
  /** As `fs_find`, for a path of several components, none of which may be a symlink. */
  readonly fs_find_path: (folder: number, path: FileName) => number
  /** openat(2) of `..`, O_PATH, which may lead out of what is served; fills the attributes. */
  readonly fs_up: (directory: number) => number
  /**
   * openat2(2) with O_CREAT; fills the attributes. Never waits: -ESTALE where there is something else than a regular
   * file by now, or one with a lease.
   */
  readonly fs_create: (folder: number, name: FileName, flags: number, mode: number) => number
  /** mknodat(2); `device` as the kernel's new_encode_dev. */
  readonly fs_mknod: (folder: number, name: FileName, mode: number, device: number) => number
  /** mkdirat(2). */
  readonly fs_mkdir: (folder: number, name: FileName, mode: number) => number
  /** symlinkat(2). */
  readonly fs_symlink: (folder: number, name: FileName, target: FileName) => number
  /** linkat(2) of an open file. */
  readonly fs_link: (file: number, folder: number, name: FileName) => number
  /** unlinkat(2). */
  readonly fs_unlink: (folder: number, name: FileName, flags: number) => number
  /** renameat2(2). */
  readonly fs_rename: (folder: number, name: FileName, newFolder: number, newName: FileName, flags: number) => number
  /** readlinkat(2). */
  readonly fs_readlink: (file: number, into: Uint8Array) => number
  /** The path by which the kernel knows an open file (proc(5)). */
  readonly fs_path_of: (file: number, into: Uint8Array) => number
  /** statx(2) of an open file; fills the attributes. */
  readonly fs_stat: (file: number) => number
  /** chmod(2) of an open file. */
  readonly fs_chmod: (file: number, mode: number) => number
  /** -1 leaves an id as it is. */
  readonly fs_chown: (file: number, uid: number, gid: number) => number
  /** utimensat(2), UTIME_NOW and UTIME_OMIT included. */
  readonly fs_utimens: (file: number, atime: Wide, atimeNsec: number, mtime: Wide, mtimeNsec: number) => number
  /** -EAGAIN while another program holds a lease (fcntl(2), F_SETLEASE) on the file. */
  readonly fs_truncate: (file: number, size: Wide) => number
  /** ftruncate(2). */
  readonly fs_ftruncate: (file: number, size: Wide) => number
  /** setxattr(2). */
  readonly fs_setxattr: (file: number, name: FileName, value: Uint8Array, flags: number) => number
  /** getxattr(2). */
  readonly fs_getxattr: (file: number, name: FileName, into: Uint8Array) => number
  /** listxattr(2). */
  readonly fs_listxattr: (file: number, into: Uint8Array) => number
  /** removexattr(2). */
  readonly fs_removexattr: (file: number, name: FileName) => number
  /** statvfs(3): blocks, bfree, bavail, files, ffree, bsize, namelen, frsize. */
  readonly fs_statvfs: (file: number, into: Float64Array) => number
  /** open(2) of an open file anew, with O_NONBLOCK: -EAGAIN while another program holds a lease on it. */
  readonly fs_open: (file: number, flags: number, mode: number) => number
  /** As `fs_open`, on a thread of its own, which waits until a lease is given up or broken. */
  readonly fs_open_waiting: (file: number, flags: number) => Promise<number>
  /** close(2). */
  readonly fs_close: (file: number) => number
  /** F_DUPFD_CLOEXEC (fcntl(2)): the lowest number that is free. */
  readonly fs_duplicate: (file: number) => number
  /** pwritev2(2). */
  readonly fs_write: (file: number, from: Uint8Array, offset: Wide, flags: number) => number
  /** fallocate(2). */
  readonly fs_fallocate: (file: number, mode: number, offset: Wide, length: Wide) => number
  /** lseek(2). */
  readonly fs_seek: (file: number, offset: Wide, whence: number) => Wide
  /** getdents64(2), from a position on, or from where it is when that is negative. */
  readonly fs_list: (folder: number, position: Wide, into: Uint8Array) => number
  /** fsync(2), fdatasync(2), syncfs(2), on a thread of its own. */
  readonly fs_sync: (file: number, kind: 0 | 1 | 2) => Promise<number>
  /** copy_file_range(2), on a thread of its own. */
  readonly fs_copy: (from: number, fromOffset: Wide, to: number, toOffset: Wide, length: Wide) => Promise<number>
  /** name_to_handle_at(2): type and handle. */
  readonly fs_handle_of: (file: number, into: Uint8Array) => number
  /** open_by_handle_at(2), O_PATH. */
  readonly fs_open_handle: (mount: number, handle: Uint8Array) => number
  /** This thread's ids towards filesystems, with one supplementary group or -1 for none. */
  readonly fs_become: (uid: number, gid: number, group: number) => number
  /** The process's own ids again, and the groups that `fs_know_oneself` noted. */
  readonly fs_be_oneself: () => number
  /** The ids and groups of this process, to be compared with callers'. */
  readonly fs_know_oneself: () => number
}
