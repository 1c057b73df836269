import type { Timespec } from "@bickford/protocol"
import { callable, type Checks, flag, permissions, record, seconds, whole } from "../checkOptions.ts"
import type { UserQuota } from "./usage.ts"

/** What can be chosen wherever a POSIX filesystem is kept. */
export interface PosixOptions {
  /** Limits for each user but root. EDQUOT beyond. Default: none. */
  readonly userQuota?: UserQuota
  /** Seconds for which the kernel may trust a name. It is the only way in, so any number is right. Default: 1. */
  readonly entryTimeout?: number
  /** Seconds for which the kernel may trust attributes. Default: 1. */
  readonly attrTimeout?: number
  /** Seconds for which the kernel may trust that a name is missing. Default: 0, it asks each time. */
  readonly negativeTimeout?: number
  /** The owner of a new filesystem's root. Default: the process's. */
  readonly uid?: number
  /** The group of a new filesystem's root. Default: the process's. */
  readonly gid?: number
  /** The permission bits of a new filesystem's root. Default: 0o755. */
  readonly mode?: number
  /** Extended attributes; without them the kernel stops asking for any. Default: true. */
  readonly xattrs?: boolean
  /**
   * The kernel asks before it opens a file or a folder. It need not, as nothing is kept for those who have it open,
   * and is faster if it does not; it always does where locks are kept here. Default: false.
   */
  readonly opens?: boolean
  /** The time of day. Default: the system's, in milliseconds. */
  readonly clock?: () => Timespec
}

export const posixChecks: Checks<PosixOptions> = {
  userQuota: record,
  entryTimeout: seconds,
  attrTimeout: seconds,
  negativeTimeout: seconds,
  uid: whole,
  gid: whole,
  mode: permissions,
  xattrs: flag,
  opens: flag,
  clock: callable
}
