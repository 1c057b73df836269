/** What a store needs of PostgreSQL, whatever driver speaks with it. */
import * as Data from "effect/Data"

/** A parameter of a statement: text, which the statement casts to the type that it means, or bytes (`bytea`). */
export type Parameter = string | Uint8Array

/** One row: its columns in order. Integers are text or numbers, `bytea` is bytes. */
export type Row = ReadonlyArray<unknown>

/** A statement, prepared once for each connection. */
export interface Statement {
  /** Short, and of this statement alone. */
  readonly name: string
  readonly text: string
}

/** Runs a statement, which is a transaction of its own unless it is given by `transaction`: one round trip. */
export type RunStatement = (statement: Statement, parameters: ReadonlyArray<Parameter>) => Promise<ReadonlyArray<Row>>

/** Connections with one database. What fails rejects with a `DatabaseError`. */
export interface Database {
  readonly run: RunStatement
  /** Sends statements one after the other without waiting, each a transaction of its own: one round trip for all. */
  readonly pipeline: (requests: ReadonlyArray<Parameters<RunStatement>>) => Promise<ReadonlyArray<ReadonlyArray<Row>>>
  /** Hears what is told in a channel (LISTEN), on a connection of its own, which is opened again when it is lost. */
  readonly listen: (
    channel: string,
    heard: (payload: string) => void
  ) => Promise<{ readonly stop: () => Promise<void> }>
  /** Runs statements in one transaction: rolled back when `body` rejects. For what is done seldom: several round trips. */
  readonly transaction: <A>(
    body: (run: RunStatement, script: (sql: string) => Promise<void>) => Promise<A>
  ) => Promise<A>
  /** Statements run so far. */
  readonly statements: () => number
  readonly close: () => Promise<void>
}

/** A failure of the database, or of the connection with it. */
export class DatabaseError extends Data.TaggedError("DatabaseError")<{
  readonly message: string
  /** SQLSTATE, five characters; undefined when the connection failed. */
  readonly code: string | undefined
  readonly cause?: unknown
}> {}

const transient = new Set([
  // serialization_failure, deadlock_detected
  "40001",
  "40P01",
  // too_many_connections, lock_not_available
  "53300",
  "55P03"
])

/**
 * Whether the statement may succeed when it is run again (PostgreSQL, Appendix A): it lost against another, the connection
 * was lost (class 08), or the server is stopping or starting (class 57P).
 */
export const isTransient = (error: unknown): boolean =>
  error instanceof DatabaseError &&
  (error.code === undefined || transient.has(error.code) || error.code.startsWith("08") || error.code.startsWith("57P"))

/** Whether the server has no room for what was to be stored (disk_full). */
export const isFull = (error: unknown): boolean => error instanceof DatabaseError && error.code === "53100"

/** An integer column that is a safe integer. */
export const whole = (value: unknown): number => {
  const number = Number(value)
  if (value === null || !Number.isSafeInteger(number))
    throw new Error(`a column holds ${String(value)}, not an integer`)
  return number
}

/** A `bytea` column. */
export const bytesOf = (value: unknown): Uint8Array => {
  if (!(value instanceof Uint8Array)) throw new Error(`a column holds ${typeof value}, not bytes`)
  return value
}

/** An array parameter: the text of a PostgreSQL array of numbers. */
export const arrayOf = (values: Iterable<number | bigint | null>): string => {
  let text = "{"
  for (const value of values) text += `${text === "{" ? "" : ","}${value ?? "NULL"}`
  return `${text}}`
}
