/**
 * The tables that a branch has beside those of a store: where its inodes come from, and which numbers base files have
 * whose own cannot be used.
 */
import type { DatabaseSync } from "node:sqlite"
import { prepareQuery } from "../sqlite/query.ts"
import type { StoreKind } from "../sqlite/open.ts"

/** PRAGMA application_id: "BckW". */
export const branchStore: StoreKind = { applicationId: 0x42636b57, name: "a branch of a Bickford workspace" }

/**
 * Each step makes a branch of the version that is its place in this list one of the next. A step is never changed once it has
 * been released.
 *
 * `origin`: where an inode comes from. `number`: the number of a base file whose own cannot be used. `gone`: how base files
 * were that were removed here. `commitState` and `commitStep`: a commit under way. `event`: what became of the branch.
 * `audit`: who changed what; `entryNode` finds the names of an inode for it.
 */
const steps: ReadonlyArray<string> = [
  `
  CREATE TABLE workspace (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, base BLOB NOT NULL) STRICT;
  CREATE TABLE origin (
    ino INTEGER PRIMARY KEY,
    path BLOB NOT NULL,
    device INTEGER NOT NULL,
    base TEXT NOT NULL,
    birth REAL NOT NULL,
    mode INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    gid INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime INTEGER NOT NULL, mtimeNsec INTEGER NOT NULL,
    ctime INTEGER NOT NULL, ctimeNsec INTEGER NOT NULL,
    visible INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE number (
    device INTEGER NOT NULL,
    base TEXT NOT NULL,
    birth REAL NOT NULL,
    ino INTEGER NOT NULL,
    PRIMARY KEY (device, base, birth)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE gone (
    ino INTEGER PRIMARY KEY,
    base TEXT NOT NULL,
    birth REAL NOT NULL,
    size INTEGER NOT NULL,
    mtime INTEGER NOT NULL, mtimeNsec INTEGER NOT NULL,
    ctime INTEGER NOT NULL, ctimeNsec INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE commitState (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    staging TEXT NOT NULL,
    applying INTEGER NOT NULL,
    done INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE commitStep (seq INTEGER PRIMARY KEY, step TEXT NOT NULL) STRICT;
  CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    detail TEXT NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    uid INTEGER,
    program TEXT NOT NULL,
    op TEXT NOT NULL,
    path BLOB,
    detail TEXT NOT NULL
  ) STRICT;
  CREATE INDEX entryNode ON entry (ino) WHERE ino <> 0;
  `
]

/** Brings the tables of a branch from `version` to the latest. A branch that is new gets `base`. */
const upgrade = (db: DatabaseSync, version: number, base: string): void => {
  if (version === steps.length) return
  db.exec("BEGIN IMMEDIATE")
  for (const step of steps.slice(version)) db.exec(step)
  if (version === 0)
    db.prepare("INSERT INTO workspace (id, version, base) VALUES (1, ?, ?)").run(steps.length, Buffer.from(base))
  else db.prepare("UPDATE workspace SET version = ?").run(steps.length)
  db.exec("COMMIT")
}

/** Makes the tables of a new branch over `base`. Returns what is wrong with a branch that is there. */
export const prepareBranch = (db: DatabaseSync, base: string): string | undefined => {
  const isMade = prepareQuery(db, "SELECT 1 FROM sqlite_schema WHERE name = 'workspace'").get() !== undefined
  if (!isMade) {
    upgrade(db, 0, base)
    return undefined
  }
  const row = prepareQuery<[number, Uint8Array]>(db, "SELECT version, base FROM workspace").get()
  if (row === undefined || row[0] > steps.length)
    return `was made by another Bickford (workspace version ${row?.[0] ?? "none"}, this one knows ${steps.length}); use that one`
  const made = Buffer.from(row[1]).toString()
  if (made !== base) return `is a branch of ${made}, not of ${base}; name another store`
  upgrade(db, row[0], base)
  return undefined
}
