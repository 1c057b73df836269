/**
 * `twoWriters.mjs DATABASE MODE WHO TRANSACTIONS`: one of several processes that write to one database at once,
 * in the journal mode given. WHO `check` tells instead what is in it, as JSON.
 */
import { DatabaseSync } from "node:sqlite"

const [, , file, mode, who, transactions] = process.argv
const database = new DatabaseSync(file, { timeout: 30_000 })
const first = (sql) => database.prepare(sql).get()
if (who === "check") {
  const { integrity_check: check } = first("PRAGMA integrity_check")
  const { journal_mode: journal } = first("PRAGMA journal_mode")
  const counts = database.prepare("SELECT who, count(*) AS n FROM rows GROUP BY who ORDER BY who").all()
  const { total } = first("SELECT total FROM sums")
  process.stdout.write(JSON.stringify({ check, journal, counts: counts.map(({ n, who: by }) => [by, n]), total }))
} else if (who === "create") {
  database.exec(
    `PRAGMA journal_mode = ${mode}; CREATE TABLE rows (who TEXT, n INTEGER); CREATE TABLE sums (total INTEGER); INSERT INTO sums VALUES (0)`
  )
} else {
  const insert = database.prepare("INSERT INTO rows VALUES (?, ?)")
  const add = database.prepare("UPDATE sums SET total = total + ?")
  for (let i = 0; i < Number(transactions); i++) {
    database.exec("BEGIN IMMEDIATE")
    insert.run(who, i)
    add.run(1)
    database.exec("COMMIT")
  }
}
database.close()
