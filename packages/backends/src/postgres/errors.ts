/** Why a store in PostgreSQL cannot be served. */

/** No store can be had there; the message says what to do. */
export interface PostgresStoreError {
  readonly _tag: "PostgresStoreError"
  readonly message: string
}

export const unusable = (message: string): PostgresStoreError => ({ _tag: "PostgresStoreError", message })
