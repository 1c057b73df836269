/** Who asks: what a backend may need to know of a request beyond its arguments. */
import type { SecurityContext, U64 } from "@bickford/protocol"

/** Who asks: an operation's second argument. */
export interface RequestContext {
  /**
   * The caller's user and group, as the mount's files have them. Where `allowIdmap` is in force only creations bring
   * them, mapped; otherwise they are the calling process's own (`/proc/PID/status`, read when first asked for), not mapped, and
   * FUSE_INVALID_UIDGID (0xffffffff) where it is gone or cannot be seen.
   */
  readonly uid: number
  readonly gid: number
  /** The calling thread's id; 0 for work of the kernel's own (writeback, release). */
  readonly pid: number
  /** Bit 63 cleared: the same request delivered again has the same `unique`. */
  readonly unique: U64
  /** The request was delivered before, to an earlier server of this connection (FUSE_NOTIFY_RESEND). */
  readonly resent: boolean
  /** Random, the same for the whole life of one mount. */
  readonly connectionId: string
  /** The caller's file mode creation mask, for what creates; else 0. The kernel has applied it already, unless `dontMask` was negotiated. */
  readonly umask: number
  /** The security contexts of what is created, where they were negotiated (`securityCtx`); else none. */
  readonly securityContexts: ReadonlyArray<SecurityContext>
  /**
   * The caller's supplementary groups: those of `/proc/PID/status`, and with `createSuppGroup` negotiated the one that
   * the kernel sent with a creation (the directory's group, where the caller is in it). A caller that is gone, that
   * this process cannot see (another PID namespace, `hidepid`), and the kernel itself (`pid` 0) have only what was
   * sent: an empty list means no group that is known, so grant nothing by it. Ask before the operation suspends: a
   * caller waits in the kernel, but one that is killed leaves its pid to others.
   */
  readonly groups: () => ReadonlyArray<number>
  /** Whether the caller was signalled. Only interruptible operations are stopped by that; others may ask. */
  readonly isInterrupted: () => boolean
  /** Calls back when the caller is signalled, or at once when it was; returns how to take that back. */
  readonly onInterrupt: (callback: () => void) => () => void
  /**
   * Aborted when the operation is stopped: by a signal of its caller (where `interruptible` says that one stops it), its
   * deadline, a restart of the backend or the end of the mount. For `fetch`, timers, child processes. Made when it is
   * first asked for.
   */
  readonly signal: AbortSignal
}
