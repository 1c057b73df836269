/**
 * The tables of a store, and how an older store becomes a newer one. docs/sqlite-store.md describes them.
 */
import type { DatabaseSync } from "node:sqlite"

/** PRAGMA application_id: "Bick". */
export const applicationId = 0x4269636b

/** Bytes of one chunk of a file. */
export const chunkSize = 65536
/** A name's cookie is one of this many from its hash on: so many names of one directory may share a hash. */
export const cookieWindow = 16

/**
 * Each step makes a store of the version that is its place in this list (PRAGMA user_version) one of the
 * next. A step is never changed once it has been released; a change of the tables is one more.
 */
export const migrations: ReadonlyArray<string> = [
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
  `
]

/** Brings a store from `version` to the end of `steps`, all of it or nothing. */
export const migrate = (db: DatabaseSync, version: number, steps: ReadonlyArray<string>): void => {
  if (version === steps.length) return
  db.exec("BEGIN IMMEDIATE")
  try {
    for (const step of steps.slice(version)) db.exec(step)
    db.exec(`PRAGMA user_version = ${steps.length}; COMMIT`)
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK")
    throw error
  }
}
