/**
 * One row for each server of the store that may have left answers the kernel was not given: which
 * connection it served, its records, and the store's counts, which the latest row has right.
 */
import type { DatabaseSync } from "node:sqlite"
import { prepareQuery } from "./query.ts"
import type { Transaction } from "./transaction.ts"

export interface Counts {
  /** The next node id, or name of a file's content: neither is ever given out again. */
  readonly nextId: number
  readonly inodes: number
  /** Allocated blocks of 4096 bytes. */
  readonly blocks: number
}

export const readCounts = (db: DatabaseSync): Counts | undefined => {
  const row = prepareQuery<[number, number, number]>(db, "SELECT nextId, inodes, blocks FROM server ORDER BY id DESC LIMIT 1").get()
  return row && { nextId: row[0], inodes: row[1], blocks: row[2] }
}

/** Adds this server's row, whose connection is not known yet. */
export const enterServer = (db: DatabaseSync, transaction: Transaction, counts: Counts) => {
  transaction.begin()
  db.prepare("INSERT INTO server (connection, nextId, inodes, blocks, replies) VALUES ('', ?, ?, ?, '')").run(counts.nextId, counts.inodes, counts.blocks)
  transaction.commit()
  const id = prepareQuery<[number]>(db, "SELECT max(id) FROM server").get()?.[0] ?? 1

  const setCounts = db.prepare("UPDATE server SET nextId = ?, inodes = ?, blocks = ? WHERE id = ?")
  const setAll = db.prepare("UPDATE server SET nextId = ?, inodes = ?, blocks = ?, replies = ? WHERE id = ?")
  return {
    /** The connection that is served. What servers of others left goes; of this one's, the records are given. */
    serve: (connection: string): ReadonlyArray<string> => {
      transaction.begin()
      db.prepare("DELETE FROM server WHERE connection <> ? AND id <> ?").run(connection, id)
      const left = prepareQuery<[string]>(db, "SELECT replies FROM server WHERE id <> ? ORDER BY id").all(id)
      db.prepare("UPDATE server SET connection = ? WHERE id = ?").run(connection, id)
      transaction.commit()
      return left.map(([text]) => text)
    },
    /** Keeps what a commit goes with. */
    write: (counts: Counts, replies: string | undefined): void => {
      transaction.begin()
      if (replies === undefined) setCounts.run(counts.nextId, counts.inodes, counts.blocks, id)
      else setAll.run(counts.nextId, counts.inodes, counts.blocks, replies, id)
    },
    /** The records of earlier servers go. */
    forgetOthers: (): void => {
      transaction.begin()
      db.prepare("DELETE FROM server WHERE id <> ?").run(id)
    }
  }
}
