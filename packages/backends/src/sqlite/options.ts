import { type Checks, limit } from "../checkOptions.ts"
import { posixChecks, type PosixOptions } from "../posix/options.ts"

/** Limits, timeouts and durability of a store. */
export interface SqliteOptions extends PosixOptions {
  /** Bytes of file data, in blocks of 4096. ENOSPC beyond. Default: what the disk has room for. */
  readonly capacity?: number
  /** Inodes, the root included. ENOSPC beyond. Default: 2^32 - 1. */
  readonly maxInodes?: number
}

export const sqliteChecks: Checks<SqliteOptions> = { ...posixChecks, capacity: limit, maxInodes: limit }
