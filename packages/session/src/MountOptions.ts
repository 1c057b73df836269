/** What a mount is told when it is made. */
import type { MountDeviceOptions } from "@bickford/transport"
import type * as Duration from "effect/Duration"
import type { BackendSource, SessionOptions } from "./SessionOptions.ts"

/** What to mount where, and how: the kernel's options of the mount, and the session's. */
export interface MountOptions extends Omit<MountDeviceOptions, "fusermount"> {
  readonly backend: BackendSource
  /** The type in the mount table is `fuse.SUBTYPE`. Default `bickford`. */
  readonly subtype?: string
  /** Lets users other than the mounting one in. Default: true for root, else false. */
  readonly allowOther?: boolean
  /** Has the kernel check permissions by mode, owner and group. Default true. */
  readonly defaultPermissions?: boolean
  /**
   * Serves requests over io_uring where that can be had: Linux 6.14 with its parameter `fuse.enable_uring`, which is root's, and
   * nothing that denies io_uring to this process (seccomp, `kernel.io_uring_disabled`). Elsewhere `/dev/fuse` is read, as without
   * this option. The number is how many threads may serve at most, "auto" as many as there are CPUs; a backend that is not
   * `shared` is served by one. Locks are the kernel's own then. Default: `/dev/fuse`.
   */
  readonly threads?: "auto" | number
  /**
   * Has mount(2) return only when INIT has been answered, and fail when `init` does: a mount that does not come about is never
   * seen (FUSE_DEV_IOC_SYNC_INIT). For root, on Linux 6.18; elsewhere it is mounted as without. Not with `threads`. Default false.
   */
  readonly syncInit?: boolean
  readonly session?: SessionOptions
  /** How long the kernel may take to send INIT and the backend to start. Default 30 seconds. */
  readonly startTimeout?: Duration.Input
  /** How long a busy mount may stay after it was detached, before its connection is aborted. Default 5 seconds. */
  readonly stopTimeout?: Duration.Input
  /**
   * How long the serving thread may wait in a call into its own mount, which nobody can answer, before the connection is
   * aborted. 0 lets it wait for ever. Default 2 seconds.
   */
  readonly selfWaitTimeout?: Duration.Input
  /**
   * Unmounts when the process ends: on SIGINT, SIGTERM and SIGHUP, if the program has no listener of its own for the
   * signal, after which the signal ends it; and on `process.exit`, an uncaught exception, and whatever else emits `exit`.
   * A second signal waits for nothing. Default true.
   */
  readonly unmountOnExit?: boolean
  /** What follows when the connection is aborted from outside (fusectl, `umount -f`): the end, or a new mount in the same place. Default "never". */
  readonly remount?: "never" | "onAbort"
}
