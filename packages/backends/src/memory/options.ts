import type { Timespec } from "@bickford/session"
import type { UserQuota } from "../posix/usage.ts"

export interface MemoryOptions {
  /** Bytes of file data, in blocks of 4096. ENOSPC beyond. Default: half of the machine's memory. */
  readonly capacity?: number
  /** Inodes, the root included. ENOSPC beyond. Default: 2^24. */
  readonly maxInodes?: number
  /** Limits for each user but root. EDQUOT beyond. Default: none. */
  readonly userQuota?: UserQuota
  /** Seconds for which the kernel may trust a name. It is the only way in, so any number is right. Default: 1. */
  readonly entryTimeout?: number
  /** Seconds for which the kernel may trust attributes. Default: 1. */
  readonly attrTimeout?: number
  /** Seconds for which the kernel may trust that a name is missing. Default: 0, it asks each time. */
  readonly negativeTimeout?: number
  /** The root's owner. Default: the process's. */
  readonly uid?: number
  /** The root's group. Default: the process's. */
  readonly gid?: number
  /** The root's permission bits. Default: 0o755. */
  readonly mode?: number
  /** Extended attributes; without them the kernel stops asking for any. Default: true. */
  readonly xattrs?: boolean
  /**
   * Who keeps POSIX and BSD locks. The kernel does it as well, and then needs no FLUSH at each close;
   * "server" sends locks here. Default: "kernel".
   */
  readonly locks?: "kernel" | "server"
  /**
   * The kernel opens and closes without asking: OPEN and OPENDIR are answered ENOSYS, once. Needs
   * FUSE_NO_OPEN_SUPPORT and FUSE_NO_OPENDIR_SUPPORT (Linux 5.1), and locks kept by the kernel.
   * Default: false.
   */
  readonly noOpen?: boolean
  /** The time of day. Default: the system's, in nanoseconds. */
  readonly clock?: () => Timespec
}
