/** Writes ten thousand rows to a database in WAL mode, checks it, opens it again; says what it found. */
import { DatabaseSync } from "node:sqlite"

const file = process.argv[2]
const database = new DatabaseSync(file)
const [{ journal_mode: mode }] = database.prepare("PRAGMA journal_mode = WAL").all()
database.exec("CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT NOT NULL, body BLOB)")
database.exec("CREATE INDEX byName ON rows (name)")
const insert = database.prepare("INSERT INTO rows (name, body) VALUES (?, ?)")
for (let batch = 0; batch < 100; batch++) {
  database.exec("BEGIN")
  for (let i = 0; i < 100; i++) insert.run(`name ${(batch * 7919 + i) % 997}`, Buffer.alloc((batch + i) % 512, i))
  database.exec("COMMIT")
}
const count = (from) => from.prepare("SELECT count(*) AS n FROM rows").get().n
const rows = count(database)
const { integrity_check: check } = database.prepare("PRAGMA integrity_check").get()
database.close()
const again = new DatabaseSync(file)
const reopened = count(again)
again.close()
process.stdout.write(JSON.stringify({ mode, rows, check, reopened }))
