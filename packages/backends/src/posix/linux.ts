/** The numbers of the protocol and of Linux that filesystems look at, each a constant of its own. */
import {
  fallocateModes,
  lockFlags,
  lockTypes,
  nameLimits,
  openFlags,
  openInFlags,
  openReplyFlags,
  pollEvents,
  releaseFlags,
  renameFlags,
  seekWhence,
  setattrValid,
  setxattrFlags,
  statMode,
  statxMasks,
  writeFlags,
  xattrFlags
} from "@bickford/protocol"

export const { S_IFMT, S_IFSOCK, S_IFLNK, S_IFREG, S_IFBLK, S_IFDIR, S_IFCHR, S_IFIFO, S_ISUID, S_ISGID, S_IXGRP } =
  statMode
export const { O_ACCMODE, O_RDWR, O_EXCL, O_TRUNC, O_DIRECT, O_APPEND, O_NOATIME } = openFlags
export const { F_RDLCK, F_WRLCK, F_UNLCK } = lockTypes
export const { SEEK_DATA, SEEK_HOLE } = seekWhence
export const { RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT } = renameFlags
export const { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE } = fallocateModes
export const { XATTR_CREATE, XATTR_REPLACE } = xattrFlags
export const { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } = pollEvents
export const { STATX_BASIC_STATS, STATX_BTIME } = statxMasks
export const {
  FATTR_MODE,
  FATTR_UID,
  FATTR_GID,
  FATTR_SIZE,
  FATTR_ATIME,
  FATTR_MTIME,
  FATTR_FH,
  FATTR_ATIME_NOW,
  FATTR_MTIME_NOW,
  FATTR_LOCKOWNER,
  FATTR_CTIME,
  FATTR_KILL_SUIDGID
} = setattrValid
export const { FOPEN_DIRECT_IO, FOPEN_KEEP_CACHE, FOPEN_CACHE_DIR, FOPEN_NOFLUSH } = openReplyFlags
export const { FUSE_OPEN_KILL_SUIDGID } = openInFlags
export const { FUSE_WRITE_CACHE, FUSE_WRITE_KILL_SUIDGID } = writeFlags
export const { FUSE_SETXATTR_ACL_KILL_SGID } = setxattrFlags
export const { FUSE_RELEASE_FLOCK_UNLOCK } = releaseFlags
export const { FUSE_LK_FLOCK } = lockFlags

/** The bits of a mode that chmod(2) sets. */
export const permissionBits =
  S_ISUID | S_ISGID | statMode.S_ISVTX | statMode.S_IRWXU | statMode.S_IRWXG | statMode.S_IRWXO

/** Bytes of one name. */
export const nameMax = nameLimits.NAME_MAX
/** Bytes of a symlink's target: PATH_MAX less its NUL. */
export const symlinkMax = nameLimits.PATH_MAX - 1
/** Bytes of all attribute names of a file, with a NUL each. */
export const xattrListMax = nameLimits.XATTR_LIST_MAX
/** Bytes of one attribute's value. */
export const xattrValueMax = nameLimits.XATTR_SIZE_MAX
