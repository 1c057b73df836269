/** Prepared queries whose rows are arrays, the cheapest form there is. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite"

export interface Query<Row> {
  readonly get: (...parameters: ReadonlyArray<SQLInputValue>) => Row | undefined
  readonly all: (...parameters: ReadonlyArray<SQLInputValue>) => ReadonlyArray<Row>
}

/**
 * `Row` is the tuple of the columns selected: STRICT tables hold nothing else. Integers that are not safe
 * as a number make the query throw, unless they are read as `bigint`s, and then all are.
 */
export const prepareQuery = <Row extends ReadonlyArray<unknown>>(
  db: DatabaseSync,
  sql: string,
  bigints = false
): Query<Row> => {
  const statement = db.prepare(sql)
  statement.setReturnArrays(true)
  if (bigints) statement.setReadBigInts(true)
  // The types of node:sqlite know of rows as objects only.
  return {
    get: (...parameters) => statement.get(...parameters) as unknown as Row | undefined,
    all: (...parameters) => statement.all(...parameters) as unknown as ReadonlyArray<Row>
  }
}
