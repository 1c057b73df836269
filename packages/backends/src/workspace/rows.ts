/** What a branch has changed, as rows: taken away, or replaced by what a copy of the branch has. */
import type { DatabaseSync } from "node:sqlite"
import { prepareQuery } from "../sqlite/query.ts"

/** The tables that say what is not as it is in the base. A number that was given to a base file stays its own. */
const changes = ["inode", "entry", "chunk", "dead", "xattr", "origin", "gone"]

const clearAll = changes.map((table) => `DELETE FROM ${table};`).join(" ")

/** Takes all changes away, within a transaction. */
export const clearChanges = (db: DatabaseSync): void => {
  db.exec(`${clearAll} UPDATE server SET inodes = 0, blocks = 0;`)
}

/** Has the branch hold what its copy at `path` holds, within a transaction that `note` is in as well. */
export const takeChanges = (db: DatabaseSync, path: string, note: () => void): void => {
  // Whatever it says, a copy is no longer written to: no log is made beside it.
  db.prepare("ATTACH ? AS copy").run(
    `file:${encodeURI(path).replaceAll("?", "%3f").replaceAll("#", "%23")}?immutable=1`
  )
  try {
    db.exec(`BEGIN IMMEDIATE; ${clearAll}`)
    for (const table of changes) db.exec(`INSERT INTO ${table} SELECT * FROM copy.${table}`)
    const [inodes, blocks] = prepareQuery<[number, number]>(
      db,
      "SELECT inodes, blocks FROM copy.server ORDER BY id DESC LIMIT 1"
    ).get() ?? [0, 0]
    db.prepare("UPDATE server SET inodes = ?, blocks = ?").run(inodes, blocks)
    note()
    db.exec("COMMIT")
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK")
    throw error
  } finally {
    db.exec("DETACH copy")
  }
}
