/**
 * Numbers of the protocol under the kernel's own names: `include/uapi/linux/fuse.h`, protocol 7.45, and
 * the system's numbers that travel inside its messages (stat(2), open(2), fcntl(2) and others).
 */

/** The newest version spoken here. */
export const protocolVersion = {
  major: 7,
  minor: 45,
  oldestMinor: 12
} as const

export { opcodes } from "./generated/opcodes.ts"

/** `enum fuse_notify_code`. */
export const notifyCodes = {
  FUSE_NOTIFY_POLL: 1,
  FUSE_NOTIFY_INVAL_INODE: 2,
  FUSE_NOTIFY_INVAL_ENTRY: 3,
  FUSE_NOTIFY_STORE: 4,
  FUSE_NOTIFY_RETRIEVE: 5,
  FUSE_NOTIFY_DELETE: 6,
  FUSE_NOTIFY_RESEND: 7,
  FUSE_NOTIFY_INC_EPOCH: 8,
  FUSE_NOTIFY_PRUNE: 9
} as const

/** `enum fuse_ext_type`: a type up to FUSE_MAX_NR_SECCTX is a number of security contexts. */
export const extensionTypes = {
  FUSE_MAX_NR_SECCTX: 31,
  FUSE_EXT_GROUPS: 32
} as const

/** INIT flags by bit number: below 32 in `flags`, from 32 on in `flags2`. */
export const initFlagBits = {
  FUSE_ASYNC_READ: 0,
  FUSE_POSIX_LOCKS: 1,
  FUSE_FILE_OPS: 2,
  FUSE_ATOMIC_O_TRUNC: 3,
  FUSE_EXPORT_SUPPORT: 4,
  FUSE_BIG_WRITES: 5,
  FUSE_DONT_MASK: 6,
  FUSE_SPLICE_WRITE: 7,
  FUSE_SPLICE_MOVE: 8,
  FUSE_SPLICE_READ: 9,
  FUSE_FLOCK_LOCKS: 10,
  FUSE_HAS_IOCTL_DIR: 11,
  FUSE_AUTO_INVAL_DATA: 12,
  FUSE_DO_READDIRPLUS: 13,
  FUSE_READDIRPLUS_AUTO: 14,
  FUSE_ASYNC_DIO: 15,
  FUSE_WRITEBACK_CACHE: 16,
  FUSE_NO_OPEN_SUPPORT: 17,
  FUSE_PARALLEL_DIROPS: 18,
  FUSE_HANDLE_KILLPRIV: 19,
  FUSE_POSIX_ACL: 20,
  FUSE_ABORT_ERROR: 21,
  FUSE_MAX_PAGES: 22,
  FUSE_CACHE_SYMLINKS: 23,
  FUSE_NO_OPENDIR_SUPPORT: 24,
  FUSE_EXPLICIT_INVAL_DATA: 25,
  FUSE_MAP_ALIGNMENT: 26,
  FUSE_SUBMOUNTS: 27,
  FUSE_HANDLE_KILLPRIV_V2: 28,
  FUSE_SETXATTR_EXT: 29,
  FUSE_INIT_EXT: 30,
  FUSE_INIT_RESERVED: 31,
  FUSE_SECURITY_CTX: 32,
  FUSE_HAS_INODE_DAX: 33,
  FUSE_CREATE_SUPP_GROUP: 34,
  FUSE_HAS_EXPIRE_ONLY: 35,
  FUSE_DIRECT_IO_ALLOW_MMAP: 36,
  FUSE_PASSTHROUGH: 37,
  FUSE_NO_EXPORT_SUPPORT: 38,
  FUSE_HAS_RESEND: 39,
  FUSE_DIRECT_IO_RELAX: 36,
  FUSE_ALLOW_IDMAP: 40,
  FUSE_OVER_IO_URING: 41,
  FUSE_REQUEST_TIMEOUT: 42
} as const

/** FATTR_*: the fields a SETATTR applies. */
export const setattrValid = {
  FATTR_MODE: 1,
  FATTR_UID: 2,
  FATTR_GID: 4,
  FATTR_SIZE: 8,
  FATTR_ATIME: 16,
  FATTR_MTIME: 32,
  FATTR_FH: 64,
  FATTR_ATIME_NOW: 128,
  FATTR_MTIME_NOW: 256,
  FATTR_LOCKOWNER: 512,
  FATTR_CTIME: 1024,
  FATTR_KILL_SUIDGID: 2048
} as const

/** FOPEN_*: what a reply to OPEN, OPENDIR or CREATE asks for. */
export const openReplyFlags = {
  FOPEN_DIRECT_IO: 1,
  FOPEN_KEEP_CACHE: 2,
  FOPEN_NONSEEKABLE: 4,
  FOPEN_CACHE_DIR: 8,
  FOPEN_STREAM: 16,
  FOPEN_NOFLUSH: 32,
  FOPEN_PARALLEL_DIRECT_WRITES: 64,
  FOPEN_PASSTHROUGH: 128
} as const

/** CUSE_INIT flags. */
export const cuseInitFlags = {
  CUSE_UNRESTRICTED_IOCTL: 1
} as const

/** Of RELEASE. */
export const releaseFlags = {
  FUSE_RELEASE_FLUSH: 1,
  FUSE_RELEASE_FLOCK_UNLOCK: 2
} as const

/** Of GETATTR. */
export const getattrFlags = {
  FUSE_GETATTR_FH: 1
} as const

/** Of GETLK, SETLK and SETLKW. */
export const lockFlags = {
  FUSE_LK_FLOCK: 1
} as const

/** Of WRITE. */
export const writeFlags = {
  FUSE_WRITE_CACHE: 1,
  FUSE_WRITE_LOCKOWNER: 2,
  FUSE_WRITE_KILL_SUIDGID: 4,
  FUSE_WRITE_KILL_PRIV: 4
} as const

/** Of READ. */
export const readFlags = {
  FUSE_READ_LOCKOWNER: 2
} as const

/** Of IOCTL and its reply. */
export const ioctlFlags = {
  FUSE_IOCTL_COMPAT: 1,
  FUSE_IOCTL_UNRESTRICTED: 2,
  FUSE_IOCTL_RETRY: 4,
  FUSE_IOCTL_32BIT: 8,
  FUSE_IOCTL_DIR: 16,
  FUSE_IOCTL_COMPAT_X32: 32
} as const

/** Of POLL. */
export const pollFlags = {
  FUSE_POLL_SCHEDULE_NOTIFY: 1
} as const

/** Of FSYNC and FSYNCDIR. */
export const fsyncFlags = {
  FUSE_FSYNC_FDATASYNC: 1
} as const

/** Of `struct fuse_attr`. */
export const attrFlags = {
  FUSE_ATTR_SUBMOUNT: 1,
  FUSE_ATTR_DAX: 2
} as const

/** Of OPEN and CREATE. */
export const openInFlags = {
  FUSE_OPEN_KILL_SUIDGID: 1
} as const

/** Of SETXATTR. */
export const setxattrFlags = {
  FUSE_SETXATTR_ACL_KILL_SGID: 1
} as const

/** Of FUSE_NOTIFY_INVAL_ENTRY. */
export const invalEntryFlags = {
  FUSE_EXPIRE_ONLY: 1
} as const

/** Of SETUPMAPPING. */
export const setupmappingFlags = {
  FUSE_SETUPMAPPING_FLAG_WRITE: 1,
  FUSE_SETUPMAPPING_FLAG_READ: 2
} as const

/** ioctl(2) requests of `/dev/fuse`. */
export const deviceIoctls = {
  FUSE_DEV_IOC_CLONE: 2147804416,
  FUSE_DEV_IOC_BACKING_OPEN: 1074849025,
  FUSE_DEV_IOC_BACKING_CLOSE: 1074062594,
  FUSE_DEV_IOC_SYNC_INIT: 58627
} as const

/** `enum fuse_uring_cmd`. */
export const uringCommands = {
  FUSE_IO_URING_CMD_INVALID: 0,
  FUSE_IO_URING_CMD_REGISTER: 1,
  FUSE_IO_URING_CMD_COMMIT_AND_FETCH: 2
} as const

/** Fixed numbers of the protocol. */
export const limits = {
  FUSE_KERNEL_VERSION: 7,
  FUSE_KERNEL_MINOR_VERSION: 45,
  FUSE_ROOT_ID: 1,
  FUSE_IOCTL_MAX_IOV: 256,
  FUSE_MIN_READ_BUFFER: 8192,
  FUSE_COMPAT_ENTRY_OUT_SIZE: 120,
  FUSE_COMPAT_ATTR_OUT_SIZE: 96,
  FUSE_COMPAT_MKNOD_IN_SIZE: 8,
  FUSE_COMPAT_WRITE_IN_SIZE: 24,
  FUSE_COMPAT_STATFS_SIZE: 48,
  FUSE_COMPAT_SETXATTR_IN_SIZE: 8,
  FUSE_COMPAT_INIT_OUT_SIZE: 8,
  FUSE_COMPAT_22_INIT_OUT_SIZE: 24,
  CUSE_INIT_INFO_MAX: 4096,
  FUSE_UNIQUE_RESEND: 9223372036854775808n,
  FUSE_INVALID_UIDGID: 4294967295,
  FUSE_NAME_OFFSET: 24,
  FUSE_NAME_OFFSET_DIRENTPLUS: 152,
  FUSE_DEV_IOC_MAGIC: 229,
  FUSE_REMOVEMAPPING_MAX_ENTRY: 256,
  FUSE_URING_IN_OUT_HEADER_SZ: 128,
  FUSE_URING_OP_IN_OUT_SZ: 128
} as const

/** stat(2): types and permission bits of a mode. */
export const statMode = {
  S_IXOTH: 1,
  S_IWOTH: 2,
  S_IROTH: 4,
  S_IRWXO: 7,
  S_IXGRP: 8,
  S_IWGRP: 16,
  S_IRGRP: 32,
  S_IRWXG: 56,
  S_IXUSR: 64,
  S_IWUSR: 128,
  S_IRUSR: 256,
  S_IRWXU: 448,
  S_ISVTX: 512,
  S_ISGID: 1024,
  S_ISUID: 2048,
  S_IFIFO: 4096,
  S_IFCHR: 8192,
  S_IFDIR: 16384,
  S_IFBLK: 24576,
  S_IFREG: 32768,
  S_IFLNK: 40960,
  S_IFSOCK: 49152,
  S_IFMT: 61440
} as const

/** open(2) flags with the kernel's values. */
export const openFlags = {
  O_LARGEFILE: 32768,
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_ACCMODE: 3,
  O_CREAT: 64,
  O_EXCL: 128,
  O_NOCTTY: 256,
  O_TRUNC: 512,
  O_APPEND: 1024,
  O_NDELAY: 2048,
  O_NONBLOCK: 2048,
  O_DSYNC: 4096,
  O_ASYNC: 8192,
  O_DIRECT: 16384,
  O_DIRECTORY: 65536,
  O_NOFOLLOW: 131072,
  O_NOATIME: 262144,
  O_CLOEXEC: 524288,
  O_FSYNC: 1052672,
  O_RSYNC: 1052672,
  O_SYNC: 1052672,
  O_PATH: 2097152,
  O_TMPFILE: 4259840
} as const

/** Types of directory entries: a mode's type shifted right by 12. */
export const direntTypes = {
  DT_UNKNOWN: 0,
  DT_FIFO: 1,
  DT_CHR: 2,
  DT_DIR: 4,
  DT_BLK: 6,
  DT_REG: 8,
  DT_LNK: 10,
  DT_SOCK: 12,
  DT_WHT: 14
} as const

/** renameat2(2). */
export const renameFlags = {
  RENAME_NOREPLACE: 1,
  RENAME_EXCHANGE: 2,
  RENAME_WHITEOUT: 4
} as const

/** lseek(2). */
export const seekWhence = {
  SEEK_SET: 0,
  SEEK_CUR: 1,
  SEEK_END: 2,
  SEEK_DATA: 3,
  SEEK_HOLE: 4
} as const

/** fallocate(2). */
export const fallocateModes = {
  FALLOC_FL_KEEP_SIZE: 1,
  FALLOC_FL_PUNCH_HOLE: 2,
  FALLOC_FL_NO_HIDE_STALE: 4,
  FALLOC_FL_COLLAPSE_RANGE: 8,
  FALLOC_FL_ZERO_RANGE: 16,
  FALLOC_FL_INSERT_RANGE: 32,
  FALLOC_FL_UNSHARE_RANGE: 64
} as const

/** fcntl(2) lock types. */
export const lockTypes = {
  F_RDLCK: 0,
  F_WRLCK: 1,
  F_UNLCK: 2
} as const

/** access(2). */
export const accessModes = {
  F_OK: 0,
  X_OK: 1,
  W_OK: 2,
  R_OK: 4
} as const

/** poll(2). */
export const pollEvents = {
  POLLIN: 1,
  POLLPRI: 2,
  POLLOUT: 4,
  POLLERR: 8,
  POLLHUP: 16,
  POLLNVAL: 32,
  POLLRDNORM: 64,
  POLLRDBAND: 128,
  POLLWRNORM: 256,
  POLLWRBAND: 512,
  POLLMSG: 1024,
  POLLREMOVE: 4096,
  POLLRDHUP: 8192
} as const

/** statx(2): fields asked for and given. */
export const statxMasks = {
  STATX_TYPE: 1,
  STATX_MODE: 2,
  STATX_NLINK: 4,
  STATX_UID: 8,
  STATX_GID: 16,
  STATX_ATIME: 32,
  STATX_MTIME: 64,
  STATX_CTIME: 128,
  STATX_INO: 256,
  STATX_SIZE: 512,
  STATX_BLOCKS: 1024,
  STATX_BASIC_STATS: 2047,
  STATX_BTIME: 2048,
  STATX_ALL: 4095,
  STATX_MNT_ID: 4096,
  STATX_DIOALIGN: 8192
} as const

/** setxattr(2). */
export const xattrFlags = {
  XATTR_CREATE: 1,
  XATTR_REPLACE: 2
} as const

/** Longest names and attributes of Linux, in bytes. */
export const nameLimits = {
  NAME_MAX: 255,
  XATTR_NAME_MAX: 255,
  PATH_MAX: 4096,
  XATTR_LIST_MAX: 65536,
  XATTR_SIZE_MAX: 65536
} as const
