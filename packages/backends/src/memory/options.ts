import { type Checks, limit, oneOf } from "../checkOptions.ts"
import { posixChecks, type PosixOptions } from "../posix/options.ts"

/** Limits, timeouts and ownership of a filesystem in memory. */
export interface MemoryOptions extends PosixOptions {
  /** Bytes of file data, in blocks of 4096. ENOSPC beyond. Default: half of the machine's memory. */
  readonly capacity?: number
  /** Inodes, the root included. ENOSPC beyond. Default: 2^24. */
  readonly maxInodes?: number
  /**
   * Who keeps POSIX and BSD locks. The kernel does it as well, and then needs no FLUSH at each close;
   * "server" sends locks here. Default: "kernel".
   */
  readonly locks?: "kernel" | "server"
}

export const memoryChecks: Checks<MemoryOptions> = {
  ...posixChecks,
  capacity: limit,
  maxInodes: limit,
  locks: oneOf("kernel", "server")
}
