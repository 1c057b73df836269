import type { Timespec } from "@bickford/session"
import type { UserQuota } from "../posix/usage.ts"

export interface SqliteOptions {
  /** Bytes of file data, in blocks of 4096. ENOSPC beyond. Default: what the disk has room for. */
  readonly capacity?: number
  /** Inodes, the root included. ENOSPC beyond. Default: 2^32. */
  readonly maxInodes?: number
  /** Limits for each user but root. EDQUOT beyond. Default: none. */
  readonly userQuota?: UserQuota
  /** Seconds for which the kernel may trust a name. It is the only way in, so any number is right. Default: 1. */
  readonly entryTimeout?: number
  /** Seconds for which the kernel may trust attributes. Default: 1. */
  readonly attrTimeout?: number
  /** Seconds for which the kernel may trust that a name is missing. Default: 0, it asks each time. */
  readonly negativeTimeout?: number
  /** The root's owner, when the store is made. Default: the process's. */
  readonly uid?: number
  /** The root's group, when the store is made. Default: the process's. */
  readonly gid?: number
  /** The root's permission bits, when the store is made. Default: 0o755. */
  readonly mode?: number
  /** Extended attributes; without them the kernel stops asking for any. Default: true. */
  readonly xattrs?: boolean
  /** The time of day. Default: the system's, in milliseconds. */
  readonly clock?: () => Timespec
}
