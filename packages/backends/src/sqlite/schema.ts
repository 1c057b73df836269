/**
 * The tables of a store, and how an older store becomes a newer one. docs/sqlite-store.md describes them.
 */
import type { DatabaseSync } from "node:sqlite"
import { firstCookie, lastCookie } from "./names.ts"
import { prepareQuery } from "./query.ts"

/** PRAGMA application_id: "Bick". */
export const applicationId = 0x4269636b

/** Bytes of one chunk of a file. */
export const chunkSize = 65536

/** One step: SQL, or what it takes a program to do. */
export type Migration = string | ((db: DatabaseSync) => void)

/** Gives every name the cookie that it has now. In the first version they had 52 bits. */
const placeEntries = (db: DatabaseSync): void => {
  db.exec(`
    CREATE TABLE placed (
      parent INTEGER NOT NULL,
      cookie INTEGER NOT NULL,
      ino INTEGER NOT NULL,
      type INTEGER NOT NULL,
      name BLOB NOT NULL,
      PRIMARY KEY (parent, cookie)
    ) STRICT, WITHOUT ROWID
  `)
  const [a, b] = prepareQuery<[number, number]>(db, "SELECT a, b FROM hashKey").get() ?? [0, 0]
  const insert = db.prepare("INSERT OR IGNORE INTO placed (parent, cookie, ino, type, name) VALUES (?, ?, ?, ?, ?)")
  const place = (parent: number, ino: number, type: number, name: Uint8Array): void => {
    const first = firstCookie(name, { a, b })
    for (let cookie = first; cookie <= lastCookie(first); cookie++) {
      if (Number(insert.run(parent, cookie, ino, type, name).changes) === 1) return
    }
    throw new Error(`too many names of directory ${parent} have the same hash`)
  }
  const entries = db.prepare("SELECT parent, ino, type, name FROM entry")
  entries.setReturnArrays(true)
  for (const row of entries.iterate()) place(...(row as unknown as [number, number, number, Uint8Array]))
  db.exec("DROP TABLE entry; ALTER TABLE placed RENAME TO entry")
}

/**
 * Each step makes a store of the version that is its place in this list (PRAGMA user_version) one of the
 * next. A step is never changed once it has been released; a change of the tables is one more.
 */
export const migrations: ReadonlyArray<Migration> = [
  `
  CREATE TABLE inode (
    ino INTEGER PRIMARY KEY,
    mode INTEGER NOT NULL,
    nlink INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    gid INTEGER NOT NULL,
    rdev INTEGER NOT NULL,
    size INTEGER NOT NULL,
    blocks INTEGER NOT NULL,
    atime INTEGER NOT NULL, atimeNsec INTEGER NOT NULL,
    mtime INTEGER NOT NULL, mtimeNsec INTEGER NOT NULL,
    ctime INTEGER NOT NULL, ctimeNsec INTEGER NOT NULL,
    btime INTEGER NOT NULL, btimeNsec INTEGER NOT NULL,
    data INTEGER,
    parent INTEGER,
    target BLOB
  ) STRICT;
  CREATE INDEX orphan ON inode (ino) WHERE nlink = 0;
  CREATE TABLE entry (
    parent INTEGER NOT NULL,
    cookie INTEGER NOT NULL,
    ino INTEGER NOT NULL,
    type INTEGER NOT NULL,
    name BLOB NOT NULL,
    PRIMARY KEY (parent, cookie)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    data INTEGER NOT NULL,
    position INTEGER NOT NULL,
    blocks INTEGER NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX chunkAt ON chunk (data, position);
  CREATE TABLE dead (data INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE xattr (
    ino INTEGER NOT NULL,
    name BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (ino, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE server (
    id INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    nextId INTEGER NOT NULL,
    inodes INTEGER NOT NULL,
    blocks INTEGER NOT NULL,
    replies TEXT NOT NULL
  ) STRICT;
  CREATE TABLE hashKey (id INTEGER PRIMARY KEY CHECK (id = 1), a INTEGER NOT NULL, b INTEGER NOT NULL) STRICT;
  `,
  placeEntries
]

/** Brings a store from `version` to the end of `steps`, all of it or nothing. */
export const migrate = (db: DatabaseSync, version: number, steps: ReadonlyArray<Migration>): void => {
  if (version === steps.length) return
  db.exec("BEGIN IMMEDIATE")
  try {
    for (const step of steps.slice(version)) {
      if (typeof step === "string") db.exec(step)
      else step(db)
    }
    db.exec(`PRAGMA user_version = ${steps.length}; COMMIT`)
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK")
    throw error
  }
}
