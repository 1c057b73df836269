import { type Checks, limit, seconds, whole } from "../checkOptions.ts"
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
}

export const postgresChecks: Checks<PostgresOptions> = {
  ...posixChecks,
  capacity: limit,
  maxInodes: limit,
  connections: whole,
  grace: seconds
}
