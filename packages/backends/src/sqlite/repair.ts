/** `fsck --repair`: puts right what the check names, in one transaction. What has lost its name comes into lost+found. */
import * as Effect from "effect/Effect"
import type { DatabaseSync } from "node:sqlite"
import { nameMax, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../posix/linux.ts"
import { countBits } from "./bytes.ts"
import { check, type StoreReport } from "./check.ts"
import type { SqliteStoreError } from "./errors.ts"
import { firstCookie, type HashKey, lastCookie } from "./names.ts"
import { openStore } from "./open.ts"
import { prepareQuery } from "./query.ts"
import { readStore } from "./readStore.ts"
import { chunkSize } from "./schema.ts"

const isType = (type: number): string => `mode & ${S_IFMT} = ${type}`
const directoryType = S_IFDIR >>> 12
const lostFound = Buffer.from("lost+found")

type EntryRow = [parent: number, cookie: number, ino: number, type: number, name: Uint8Array]

/** The largest number in use, of inodes and of contents. */
const largestId = (db: DatabaseSync): number =>
  prepareQuery<[number]>(
    db,
    "SELECT max((SELECT coalesce(max(ino), 1) FROM inode), (SELECT coalesce(max(data), 1) FROM inode), (SELECT coalesce(max(data), 1) FROM chunk))"
  ).get()?.[0] ?? 1

/** Puts names into directories, and what has none into lost+found. */
const makePlaces = (db: DatabaseSync) => {
  const [a, b] = prepareQuery<[number, number]>(db, "SELECT a, b FROM hashKey").get() ?? [0, 0]
  const key: HashKey = { a, b }
  const insert = db.prepare("INSERT OR IGNORE INTO entry (parent, cookie, ino, type, name) VALUES (?, ?, ?, ?, ?)")
  const find = prepareQuery<[number]>(db, "SELECT ino FROM entry WHERE parent = ? AND name = ?")
  const isDirectory = prepareQuery<[number]>(
    db,
    `SELECT 1 FROM inode WHERE ino = ? AND ${isType(S_IFDIR)} AND nlink > 0`
  )
  const place = (parent: number, ino: number, type: number, name: Uint8Array): boolean => {
    if (find.get(parent, name) !== undefined) return false
    const first = firstCookie(name, key)
    for (let cookie = first; cookie <= lastCookie(first); cookie++) {
      if (Number(insert.run(parent, cookie, ino, type, name).changes) === 1) return true
    }
    return false
  }
  let folder: number | undefined
  const lostFoundIno = (): number => {
    if (folder !== undefined) return folder
    const there = find.get(1, lostFound)?.[0]
    if (there !== undefined && isDirectory.get(there) !== undefined) return (folder = there)
    const ino = largestId(db) + 1
    db.prepare(
      `INSERT INTO inode SELECT ?, ${S_IFDIR | 0o700}, 2, 0, 0, 0, 0, 0, atime, atimeNsec, mtime, mtimeNsec, ctime, ctimeNsec, btime, btimeNsec, NULL, 1, NULL FROM inode WHERE ino = 1`
    ).run(ino)
    for (let n = 0; !place(1, ino, directoryType, n === 0 ? lostFound : Buffer.from(`lost+found-${n}`)); n++);
    return (folder = ino)
  }
  return {
    place,
    /** Names an inode by its number in lost+found. */
    adopt: (ino: number, type: number): void => {
      const parent = lostFoundIno()
      for (let n = 0; !place(parent, ino, type, Buffer.from(n === 0 ? `#${ino}` : `#${ino}-${n}`)); n++);
      db.prepare(`UPDATE inode SET parent = ? WHERE ino = ? AND ${isType(S_IFDIR)}`).run(parent, ino)
    }
  }
}

type Places = ReturnType<typeof makePlaces>

/** Each inode holds what one of its type does, and there is a root. */
const repairTypes = (db: DatabaseSync): void => {
  db.exec(`
    INSERT OR IGNORE INTO inode SELECT 1, ${S_IFDIR | 0o755}, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, 1, NULL;
    UPDATE inode SET mode = ${S_IFDIR | 0o755}, data = NULL, target = NULL, size = 0, blocks = 0, nlink = 2 WHERE ino = 1 AND NOT ${isType(S_IFDIR)};
    UPDATE inode SET parent = 1 WHERE ino = 1;
    DELETE FROM entry WHERE ino = 1;
    DELETE FROM inode WHERE ${isType(S_IFLNK)} AND target IS NULL;
    UPDATE inode SET target = NULL WHERE NOT ${isType(S_IFLNK)};
    UPDATE inode SET size = length(target) WHERE target IS NOT NULL;
    UPDATE inode SET data = NULL WHERE NOT ${isType(S_IFREG)};
    UPDATE inode SET parent = NULL WHERE NOT ${isType(S_IFDIR)};
    UPDATE inode SET parent = coalesce((SELECT parent FROM entry WHERE entry.ino = inode.ino), 1) WHERE ${isType(S_IFDIR)} AND parent IS NULL;
    UPDATE inode SET size = 0 WHERE size < 0;
  `)
  let id = largestId(db)
  const give = db.prepare("UPDATE inode SET data = ? WHERE ino = ?")
  for (const [ino] of prepareQuery<[number]>(
    db,
    `SELECT ino FROM inode WHERE ${isType(S_IFREG)} AND data IS NULL`
  ).all())
    give.run(++id, ino)
}

const mayBeName = (name: Uint8Array): boolean =>
  name.length > 0 && name.length <= nameMax && !name.includes(0) && !name.includes(0x2f)

/** Each name is where it is looked for, once, and in a directory. */
const repairEntries = (db: DatabaseSync, { adopt, place }: Places): void => {
  db.exec(
    "DELETE FROM entry WHERE ino NOT IN (SELECT ino FROM inode); UPDATE entry SET type = (SELECT mode >> 12 FROM inode WHERE inode.ino = entry.ino)"
  )
  const [a, b] = prepareQuery<[number, number]>(db, "SELECT a, b FROM hashKey").get() ?? [0, 0]
  const remove = db.prepare("DELETE FROM entry WHERE parent = ? AND cookie = ?")
  const columns = "entry.parent, entry.cookie, entry.ino, entry.type, entry.name"
  const nowhere = prepareQuery<EntryRow>(
    db,
    `SELECT ${columns} FROM entry LEFT JOIN inode ON inode.ino = entry.parent WHERE inode.ino IS NULL OR NOT inode.${isType(S_IFDIR)} OR inode.nlink = 0`
  ).all()
  const twice = prepareQuery<EntryRow>(
    db,
    `SELECT ${columns} FROM entry WHERE EXISTS (SELECT 1 FROM entry AS other WHERE other.parent = entry.parent AND other.name = entry.name AND other.cookie < entry.cookie)`
  ).all()
  for (const [parent, cookie, ino, type] of [...nowhere, ...twice]) {
    if (Number(remove.run(parent, cookie).changes) === 1) adopt(ino, type)
  }
  const all = db.prepare(`SELECT ${columns} FROM entry`)
  all.setReturnArrays(true)
  const misplaced: Array<EntryRow> = []
  for (const row of all.iterate()) {
    const entry = row as unknown as EntryRow
    const first = firstCookie(entry[4], { a, b })
    if (!mayBeName(entry[4]) || entry[1] < first || entry[1] > lastCookie(first)) misplaced.push(entry)
  }
  for (const [parent, cookie, ino, type, name] of misplaced) {
    remove.run(parent, cookie)
    if (!mayBeName(name) || !place(parent, ino, type, name)) adopt(ino, type)
  }
}

const below = `WITH RECURSIVE below (ino) AS (SELECT 1 UNION SELECT entry.ino FROM entry JOIN below ON entry.parent = below.ino WHERE entry.type = ${directoryType})`

/** Each directory has one name, and all that has links has a name below the root. */
const repairTree = (db: DatabaseSync, { adopt }: Places): void => {
  db.exec(`
    DELETE FROM entry WHERE type = ${directoryType} AND EXISTS (
      SELECT 1 FROM entry AS other JOIN inode ON inode.ino = other.ino WHERE other.ino = entry.ino AND (other.parent, other.cookie) <> (entry.parent, entry.cookie)
        AND (other.parent = inode.parent, -other.parent, -other.cookie) > (entry.parent = inode.parent, -entry.parent, -entry.cookie));
    UPDATE inode SET parent = (SELECT parent FROM entry WHERE entry.ino = inode.ino) WHERE parent IS NOT NULL AND ino IN (SELECT ino FROM entry);
  `)
  // Those without a name come first: with them comes what lies below.
  const unreachable = prepareQuery<[number]>(
    db,
    `${below} SELECT ino FROM inode WHERE ${isType(S_IFDIR)} AND nlink > 0 AND ino NOT IN below
    ORDER BY ino IN (SELECT ino FROM entry), ino LIMIT 1`
  )
  for (let found = unreachable.get(); found !== undefined; found = unreachable.get()) {
    db.prepare("DELETE FROM entry WHERE ino = ?").run(found[0])
    adopt(found[0], directoryType)
  }
  for (const [ino, mode] of prepareQuery<[number, number]>(
    db,
    `SELECT ino, mode FROM inode WHERE NOT ${isType(S_IFDIR)} AND nlink > 0 AND ino NOT IN (SELECT ino FROM entry)`
  ).all()) {
    adopt(ino, mode >>> 12)
  }
  db.exec(`UPDATE inode SET nlink =
    CASE WHEN NOT ${isType(S_IFDIR)} THEN (SELECT count(*) FROM entry WHERE entry.ino = inode.ino)
      WHEN ino <> 1 AND ino NOT IN (SELECT ino FROM entry) THEN 0
      ELSE 2 + (SELECT count(*) FROM entry WHERE entry.parent = inode.ino AND type = ${directoryType}) END`)
}

/** Each chunk is one, of one file, and within it; each file counts its own blocks. Returns the blocks of all files. */
const repairContent = (db: DatabaseSync): number => {
  db.exec(`
    DELETE FROM dead WHERE data IN (SELECT data FROM inode WHERE data IS NOT NULL);
    DELETE FROM chunk WHERE position < 0 OR (data NOT IN (SELECT data FROM inode WHERE data IS NOT NULL) AND data NOT IN (SELECT data FROM dead));
    UPDATE chunk SET bytes = substr(bytes, 1, ${chunkSize}) WHERE length(bytes) > ${chunkSize};
    UPDATE chunk SET blocks = 65535 WHERE blocks <= 0 OR blocks > 65535;
    DELETE FROM xattr WHERE ino NOT IN (SELECT ino FROM inode);
  `)
  let id = largestId(db)
  for (const [ino, data] of prepareQuery<[number, number]>(
    db,
    "SELECT ino, data FROM inode WHERE data IS NOT NULL AND EXISTS (SELECT 1 FROM inode AS other WHERE other.data = inode.data AND other.ino < inode.ino)"
  ).all()) {
    id++
    db.prepare(
      "INSERT INTO chunk (data, position, blocks, bytes) SELECT ?, position, blocks, bytes FROM chunk WHERE data = ?"
    ).run(id, data)
    db.prepare("UPDATE inode SET data = ? WHERE ino = ?").run(id, ino)
  }
  const size = `(SELECT size FROM inode WHERE inode.data = chunk.data) - position * ${chunkSize}`
  db.exec(
    `UPDATE chunk SET bytes = substr(bytes, 1, max(0, ${size})) WHERE data IN (SELECT data FROM inode WHERE data IS NOT NULL) AND length(bytes) > max(0, ${size})`
  )
  let total = 0
  const bits = prepareQuery<[number]>(db, "SELECT blocks FROM chunk WHERE data = ?")
  const setBlocks = db.prepare("UPDATE inode SET blocks = ? WHERE ino = ? AND blocks <> ?")
  for (const [ino, data] of prepareQuery<[number, number | null]>(
    db,
    "SELECT ino, data FROM inode WHERE data IS NOT NULL OR blocks <> 0"
  ).all()) {
    const blocks = data === null ? 0 : bits.all(data).reduce((sum, [each]) => sum + countBits(each), 0)
    total += blocks
    setBlocks.run(blocks * 8, ino, blocks * 8)
  }
  return total
}

const repairCounts = (db: DatabaseSync, blocks: number): void => {
  db.exec(
    "INSERT INTO server (connection, nextId, inodes, blocks, replies) SELECT '', 2, 0, 0, '' WHERE NOT EXISTS (SELECT 1 FROM server)"
  )
  db.prepare(
    "UPDATE server SET inodes = (SELECT count(*) FROM inode), blocks = ?, nextId = max(nextId, ?) WHERE id = (SELECT max(id) FROM server)"
  ).run(blocks, largestId(db) + 1)
}

const repairAll = (db: DatabaseSync): void => {
  db.exec("BEGIN IMMEDIATE; REINDEX")
  try {
    repairTypes(db)
    const places = makePlaces(db)
    repairEntries(db, places)
    repairTree(db, places)
    repairCounts(db, repairContent(db))
    db.exec("COMMIT")
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK")
    throw error
  }
}

/** What a repair found, and what is left: damage that SQLite sees in the store's pages is not repaired in place. */
export interface RepairReport {
  readonly found: StoreReport
  readonly left: StoreReport
}

/**
 * Checks the store at `path`, which nobody may be serving, and puts right what is wrong with it. Nothing is changed
 * when nothing is wrong, nor when pages are damaged.
 */
export const repairStore = (path: string): Effect.Effect<RepairReport, SqliteStoreError> =>
  Effect.gen(function* () {
    const found = yield* readStore(path, check)
    if (found.problems.length === 0 || found.damaged) return { found, left: found }
    yield* Effect.scoped(Effect.flatMap(openStore(path), ({ db }) => Effect.sync(() => repairAll(db))))
    return { found, left: yield* readStore(path, check) }
  })
