import type { SqliteOptions } from "../sqlite/options.ts"

/** Where a branch is kept, and its limits and timeouts. */
export interface WorkspaceOptions extends Omit<SqliteOptions, "mode" | "uid" | "gid"> {
  /** The file that has what was changed; made if it is not there. It lies outside of the base directory. */
  readonly store: string
  /** Records who changed what, in the transaction of each change (`audit` of a branch). Default: true. */
  readonly audit?: boolean
}
