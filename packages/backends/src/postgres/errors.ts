/** Why a store in PostgreSQL cannot be served. */

import * as Data from "effect/Data"

/** No store can be had there. */
export class PostgresStoreError extends Data.TaggedError("PostgresStoreError")<{
  /** Why, and what to do. */
  readonly message: string
}> {}

export const unusable = (message: string): PostgresStoreError => new PostgresStoreError({ message })
