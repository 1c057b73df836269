/**
 * One row for each server of the store that may have left answers the kernel was not given: which
 * connection it served, its records, and the store's counts, which the latest row has right.
 */
import type { DatabaseSync } from "node:sqlite"
import { isFull } from "./errors.ts"
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
  const row = prepareQuery<[number, number, number]>(
    db,
    "SELECT nextId, inodes, blocks FROM server ORDER BY id DESC LIMIT 1"
  ).get()
  return row && { nextId: row[0], inodes: row[1], blocks: row[2] }
}

/**
 * Adds this server's row, whose connection is not known yet. On a full disk the row waits for the first commit for which
 * there is room, so that the store can be read; one that is `fresh` needs it at once.
 */
export const enterServer = (db: DatabaseSync, transaction: Transaction, counts: Counts, fresh: boolean) => {
  const id = (prepareQuery<[number | null]>(db, "SELECT max(id) FROM server").get()?.[0] ?? 0) + 1
  let connection = ""
  const insert = db.prepare(
    "INSERT INTO server (id, connection, nextId, inodes, blocks, replies) VALUES (?, ?, ?, ?, ?, ?)"
  )
  const setCounts = db.prepare("UPDATE server SET nextId = ?, inodes = ?, blocks = ? WHERE id = ?")
  const setAll = db.prepare("UPDATE server SET nextId = ?, inodes = ?, blocks = ?, replies = ? WHERE id = ?")

  /** Commits a change that can wait: false when the disk is full. */
  const commitIfRoom = (change: () => void): boolean => {
    try {
      transaction.begin()
      change()
      transaction.commit()
      return true
    } catch (error) {
      transaction.rollback()
      if (!isFull(error)) throw error
      return false
    }
  }

  const entered = commitIfRoom(() => insert.run(id, connection, counts.nextId, counts.inodes, counts.blocks, ""))
  if (fresh && !entered) throw new Error("there is no room on the disk for a new store")
  return {
    /** The connection that is served. What servers of others left goes; of this one's, the records are given. */
    serve: (served: string): ReadonlyArray<string> => {
      connection = served
      const left = prepareQuery<[string]>(
        db,
        "SELECT replies FROM server WHERE id <> ? AND connection = ? ORDER BY id"
      ).all(id, served)
      commitIfRoom(() => {
        db.prepare("DELETE FROM server WHERE connection <> ? AND id <> ?").run(served, id)
        db.prepare("UPDATE server SET connection = ? WHERE id = ?").run(served, id)
      })
      return left.map(([text]) => text)
    },
    /** Keeps what a commit goes with. */
    write: (now: Counts, replies: string | undefined): void => {
      transaction.begin()
      const { changes } =
        replies === undefined
          ? setCounts.run(now.nextId, now.inodes, now.blocks, id)
          : setAll.run(now.nextId, now.inodes, now.blocks, replies, id)
      // There was no room for it before.
      if (Number(changes) === 0) insert.run(id, connection, now.nextId, now.inodes, now.blocks, replies ?? "")
    },
    /** The records of earlier servers go. */
    forgetOthers: (): void => {
      transaction.begin()
      db.prepare("DELETE FROM server WHERE id <> ?").run(id)
    }
  }
}
