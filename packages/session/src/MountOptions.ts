/** What a mount is told when it is made. */
import type { SecurityContexts } from "@bickford/transport"
import type * as Duration from "effect/Duration"
import type { BackendSource, SessionOptions } from "./SessionOptions.ts"

/** What to mount where, and how. */
export interface MountOptions {
  /** An existing directory (or file, for a filesystem whose root is one). */
  readonly mountpoint: string
  readonly backend: BackendSource
  /** The source shown in /proc/mounts. Default `bickford`. */
  readonly fsname?: string
  /** The type shown is `fuse.SUBTYPE`. Default `bickford`. */
  readonly subtype?: string
  /** Let users other than the mounting one in. Default: true for root, else false. */
  readonly allowOther?: boolean
  /** Let the kernel check permissions by mode, owner and group. Default true. */
  readonly defaultPermissions?: boolean
  readonly readOnly?: boolean
  /** No programs can be run from it. */
  readonly noexec?: boolean
  /**
   * Set-user-ID and set-group-ID bits and file capabilities are honoured. The backend says who owns what: only root may
   * have it, for a backend that it trusts. Default false.
   */
  readonly suid?: boolean
  /** Device nodes are devices. Only root may have it. Default false. */
  readonly dev?: boolean
  /** Every write is synchronous, as with O_SYNC. */
  readonly sync?: boolean
  /** Every change of a directory is synchronous. */
  readonly dirsync?: boolean
  /** No symbolic link in it is followed: ELOOP (Linux 5.10). */
  readonly nosymfollow?: boolean
  /** SELinux labels, as mount(8)'s `context=` and its kin. Only root may set them. */
  readonly securityContexts?: SecurityContexts
  /** Reading changes no times. */
  readonly noatime?: boolean
  /** Listing changes no times of directories. */
  readonly nodiratime?: boolean
  /** Every read that comes to the server marks the time; without it the first one after a change, or in a day (relatime). */
  readonly strictatime?: boolean
  /** Largest READ in bytes, at least 4096; 0 for no limit of the mount's own. */
  readonly maxRead?: number
  /**
   * Mounts the block device `fsname` as type `fuseblk` (root only): the kernel sends BMAP and SYNCFS too, and an
   * unmount returns when `destroy` has run. Default false.
   */
  readonly blkdev?: boolean
  /** Block size in bytes of a `blkdev` mount, a power of two from 512. Default 512. */
  readonly blksize?: number
  /**
   * Serves requests over io_uring where that can be had: Linux 6.14 with its parameter `fuse.enable_uring`, which is root's, and
   * nothing that denies io_uring to this process (seccomp, `kernel.io_uring_disabled`). Elsewhere `/dev/fuse` is read, as without
   * this option. The number is how many threads may serve at most, "auto" as many as there are CPUs; a backend that does not share
   * its state is served by one. Locks are the kernel's own then. Default: `/dev/fuse`.
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
