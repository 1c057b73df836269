/**
 * commits.ts STORE SECONDS: what a store's sequential write comes to on bare `node:sqlite`: a file of 64 MiB
 * written over and over, its rows where they were, one commit for each MiB: sixteen chunks, the inode, the
 * record of the reply. Prints MiB/s.
 */
import { DatabaseSync } from "node:sqlite"

const [path = "", seconds = "1"] = process.argv.slice(2)
const mebibyte = 1 << 20
const chunkBytes = 64 << 10
const fileMebibytes = 64

const db = new DatabaseSync(path)
// As packages/backends/src/sqlite opens its stores, and the tables that a write changes there.
db.exec(`
  PRAGMA page_size = 4096;
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA synchronous = NORMAL;
  PRAGMA cache_spill = OFF;
  PRAGMA cache_size = -32768;
  PRAGMA journal_size_limit = 33554432;
  PRAGMA journal_mode = WAL;
  CREATE TABLE inode (ino INTEGER PRIMARY KEY, size INTEGER NOT NULL, blocks INTEGER NOT NULL, mtime INTEGER NOT NULL) STRICT;
  CREATE TABLE chunk (id INTEGER PRIMARY KEY, data INTEGER NOT NULL, position INTEGER NOT NULL, blocks INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
  CREATE UNIQUE INDEX chunkAt ON chunk (data, position);
  CREATE TABLE server (id INTEGER PRIMARY KEY, replies TEXT NOT NULL) STRICT;
  INSERT INTO inode VALUES (1, 0, 0, 0);
  INSERT INTO server VALUES (1, '');
`)
const put = db.prepare(
  "INSERT INTO chunk (data, position, blocks, bytes) VALUES (1, ?, 65535, ?) ON CONFLICT (data, position) DO UPDATE SET bytes = excluded.bytes"
)
const resize = db.prepare("UPDATE inode SET size = ?, blocks = ?, mtime = ? WHERE ino = 1")
const record = db.prepare("UPDATE server SET replies = ? WHERE id = 1")
const begin = db.prepare("BEGIN IMMEDIATE")
const commit = db.prepare("COMMIT")

const data = new Uint8Array(mebibyte)
let written = 0
const writeFile = (): void => {
  // SQLite writes nothing where a row stays as it is.
  data.fill(written / fileMebibytes)
  begin.run()
  resize.run(0, 0, Date.now())
  record.run(`${written}:0`)
  commit.run()
  for (let at = 0; at < fileMebibytes; at++) {
    begin.run()
    for (let from = 0; from < mebibyte; from += chunkBytes)
      put.run((at * mebibyte + from) / chunkBytes, data.subarray(from, from + chunkBytes))
    resize.run((at + 1) * mebibyte, (at + 1) * 2048, Date.now())
    record.run(`${written}:${mebibyte}`)
    commit.run()
    written++
  }
}

// The store grows once, uncounted.
writeFile()
const before = written
const start = performance.now()
const deadline = start + Number(seconds) * 1000
while (performance.now() < deadline) writeFile()
console.log((written - before) / ((performance.now() - start) / 1000))
db.close()
