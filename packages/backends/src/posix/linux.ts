/** The kernel's numbers that this backend looks at: stat.h, fcntl.h, fs.h, falloc.h, fuse.h. */

export const S_IFMT = 0o170000
export const S_IFSOCK = 0o140000
export const S_IFLNK = 0o120000
export const S_IFREG = 0o100000
export const S_IFBLK = 0o060000
export const S_IFDIR = 0o040000
export const S_IFCHR = 0o020000
export const S_IFIFO = 0o010000
export const S_ISUID = 0o4000
export const S_ISGID = 0o2000
export const S_IXGRP = 0o0010
export const permissionBits = 0o7777

export const O_ACCMODE = 0o3
export const O_EXCL = 0o200
export const O_TRUNC = 0o1000
export const O_DIRECT = 0o40000
export const O_APPEND = 0o2000
export const O_NOATIME = 0o1000000

export const F_RDLCK = 0
export const F_WRLCK = 1
export const F_UNLCK = 2

export const SEEK_DATA = 3
export const SEEK_HOLE = 4

export const RENAME_NOREPLACE = 1
export const RENAME_EXCHANGE = 2
export const RENAME_WHITEOUT = 4

export const FALLOC_FL_KEEP_SIZE = 0x01
export const FALLOC_FL_PUNCH_HOLE = 0x02
export const FALLOC_FL_ZERO_RANGE = 0x10

export const XATTR_CREATE = 1
export const XATTR_REPLACE = 2

export const POLLIN = 0x0001
export const POLLOUT = 0x0004
export const POLLRDNORM = 0x0040
export const POLLWRNORM = 0x0100

export const STATX_BASIC_STATS = 0x7ff
export const STATX_BTIME = 0x800

export const FATTR_MODE = 1 << 0
export const FATTR_UID = 1 << 1
export const FATTR_GID = 1 << 2
export const FATTR_SIZE = 1 << 3
export const FATTR_ATIME = 1 << 4
export const FATTR_MTIME = 1 << 5
export const FATTR_FH = 1 << 6
export const FATTR_ATIME_NOW = 1 << 7
export const FATTR_MTIME_NOW = 1 << 8
export const FATTR_LOCKOWNER = 1 << 9
export const FATTR_CTIME = 1 << 10
export const FATTR_KILL_SUIDGID = 1 << 11

export const FOPEN_KEEP_CACHE = 1 << 1
export const FOPEN_CACHE_DIR = 1 << 3
export const FOPEN_NOFLUSH = 1 << 5
export const FUSE_OPEN_KILL_SUIDGID = 1 << 0
export const FUSE_WRITE_CACHE = 1 << 0
export const FUSE_WRITE_KILL_SUIDGID = 1 << 2
export const FUSE_RELEASE_FLOCK_UNLOCK = 1 << 1
export const FUSE_LK_FLOCK = 1 << 0

/** NAME_MAX: bytes of one name. */
export const nameMax = 255
/** PATH_MAX less its NUL: bytes of a symlink's target. */
export const symlinkMax = 4095
/** XATTR_LIST_MAX: bytes of all names of a file, with a NUL each. */
export const xattrListMax = 65536
/** XATTR_SIZE_MAX: bytes of one value. */
export const xattrValueMax = 65536
