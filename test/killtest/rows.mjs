/**
 * `rows.mjs DATABASE TRANSACTIONS`: transactions of ten rows each, alternately in both journal modes; then
 * checks that every one that was committed is there, whole, and no other. Prints what it found as JSON.
 */
import { DatabaseSync } from "node:sqlite"

const [, , file, wanted] = process.argv
const database = new DatabaseSync(file)
database.exec("CREATE TABLE rows (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, body BLOB NOT NULL)")
const insert = database.prepare("INSERT INTO rows (batch, body) VALUES (?, ?)")
const transactions = Number(wanted)
let slowest = 0
for (let batch = 0; batch < transactions; batch++) {
  if (batch % 100 === 0) database.exec(`PRAGMA journal_mode = ${batch % 200 === 0 ? "WAL" : "DELETE"}`)
  const start = performance.now()
  database.exec("BEGIN IMMEDIATE")
  for (let i = 0; i < 10; i++) insert.run(batch, Buffer.alloc((batch * 31 + i * 97) % 1024, batch))
  database.exec("COMMIT")
  slowest = Math.max(slowest, performance.now() - start)
}
database.close()
const again = new DatabaseSync(file)
const { integrity_check: integrity } = again.prepare("PRAGMA integrity_check").get()
const { batches, rows } = again.prepare("SELECT count(DISTINCT batch) AS batches, count(*) AS rows FROM rows").get()
again.close()
process.stdout.write(
  JSON.stringify({ integrity, whole: batches === transactions && rows === transactions * 10, slowest })
)
