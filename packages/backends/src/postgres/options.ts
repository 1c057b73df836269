import { type Checks, flag, limit, seconds, whole } from "../checkOptions.ts"
import { posixChecks, type PosixOptions } from "../posix/options.ts"

/** Limits and timeouts of a store in PostgreSQL, and how it is reached. */
export interface PostgresOptions extends PosixOptions {
  /** Bytes of file data, in blocks of 4096. ENOSPC beyond. Default: 2^50; the server does not tell what its disk has. */
  readonly capacity?: number
  /** Inodes, the root included. ENOSPC beyond. Default: 2^32 - 1. */
  readonly maxInodes?: number
  /** Connections with the server at the most: one stores what has changed, the others load. Default: 4. */
  readonly connections?: number
  /** Seconds for which a call waits for a server that is away, before it fails with EIO. Default: 30. */
  readonly grace?: number
  /**
   * Other mounts may serve the store at the same time, if all of them are opened so: what a call that has returned has
   * changed is seen by every call that begins later, on any of them. The timeouts of names and attributes are 0 then unless
   * they are given, and the kernel keeps no bytes of files; locks are those of each host, and times of the last read may
   * stay as they are. It is being tried out. Default: false.
   */
  readonly manyHosts?: boolean
  /** Seconds without a sign of life after which a mount of `manyHosts` is dead, and others go on. Default: 10. */
  readonly deadAfter?: number
}

export const postgresChecks: Checks<PostgresOptions> = {
  ...posixChecks,
  capacity: limit,
  maxInodes: limit,
  connections: whole,
  grace: seconds,
  manyHosts: flag,
  deadAfter: seconds
}
