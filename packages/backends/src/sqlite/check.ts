/** `fsck` of a store: reads all of it, changes nothing, says what is wrong and what would put it right. */
import * as Effect from "effect/Effect"
import type { DatabaseSync } from "node:sqlite"
import { nameMax, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../posix/linux.ts"
import { countBits } from "./bytes.ts"
import type { SqliteStoreError } from "./errors.ts"
import { nameFromBytes, printable } from "@bickford/protocol"
import { firstCookie, lastCookie } from "./names.ts"
import { prepareQuery } from "./query.ts"
import { readStore } from "./readStore.ts"
import { checkPages } from "./pages.ts"
import { chunkSize } from "./schema.ts"
import { readCounts } from "./server.ts"

/** One thing that is wrong with a store. */
export interface StoreProblem {
  readonly what: string
  readonly repair: string
}

/** What `checkStore` found. */
export interface StoreReport {
  readonly inodes: number
  /** Bytes of file data, in whole blocks of 4096. */
  readonly bytes: number
  /** Files with no name, which a program had open when the store was last served; the next mount removes them. */
  readonly orphans: number
  readonly problems: ReadonlyArray<StoreProblem>
  /** Pages of the store are damaged, which no repair in place puts right. */
  readonly damaged: boolean
}

/** More problems of one kind than this are counted only. */
const shown = 20

type Report = (what: string, repair: string) => void

const typeName = (mode: number): string =>
  (mode & S_IFMT) === S_IFDIR ? "directory" : (mode & S_IFMT) === S_IFREG ? "file" : "node"

/** Rows that should not be: one problem each. */
const none = <Row extends ReadonlyArray<unknown>>(
  db: DatabaseSync,
  report: Report,
  sql: string,
  what: (row: Row) => string,
  repair: string
): void => {
  const rows = prepareQuery<Row>(db, sql).all()
  for (const row of rows.slice(0, shown)) report(what(row), repair)
  if (rows.length > shown) report(`... and ${rows.length - shown} more like this`, repair)
}

const checkEntries = (db: DatabaseSync, report: Report): void => {
  none<[number, number]>(
    db,
    report,
    "SELECT entry.parent, entry.ino FROM entry LEFT JOIN inode ON inode.ino = entry.ino WHERE inode.ino IS NULL",
    ([parent, ino]) => `directory ${parent} names inode ${ino}, which is not there`,
    "the name would be removed"
  )
  none<[number, number]>(
    db,
    report,
    `SELECT entry.parent, count(*) FROM entry LEFT JOIN inode ON inode.ino = entry.parent WHERE inode.ino IS NULL OR inode.mode & ${S_IFMT} <> ${S_IFDIR} OR inode.nlink = 0 GROUP BY entry.parent`,
    ([parent, count]) => `${count} names lie in ${parent}, which is not a directory`,
    "they would be moved to lost+found"
  )
  none<[number, number]>(
    db,
    report,
    "SELECT entry.parent, entry.ino FROM entry JOIN inode ON inode.ino = entry.ino WHERE entry.type <> inode.mode >> 12",
    ([parent, ino]) => `directory ${parent} has inode ${ino} as one of another type`,
    "the type would be the inode's"
  )
  none<[number, number]>(
    db,
    report,
    "SELECT entry.parent, entry.ino FROM entry JOIN inode ON inode.ino = entry.ino WHERE inode.parent IS NOT NULL AND inode.parent <> entry.parent",
    ([parent, ino]) => `directory ${ino} lies in ${parent}, and says that it lies elsewhere`,
    "it would say where it lies"
  )
  none<[number, number]>(
    db,
    report,
    "SELECT parent, count(*) FROM entry GROUP BY parent, name HAVING count(*) > 1",
    ([parent, count]) => `directory ${parent} has one name ${count} times`,
    "all but one would be moved to lost+found"
  )
  const [a, b] = prepareQuery<[number, number]>(db, "SELECT a, b FROM hashKey").get() ?? [0, 0]
  const iterate = db.prepare("SELECT parent, cookie, name FROM entry")
  iterate.setReturnArrays(true)
  for (const row of iterate.iterate()) {
    const [parent, cookie, name] = row as unknown as [number, number, Uint8Array]
    const first = firstCookie(name, { a, b })
    if (cookie < first || cookie > lastCookie(first)) {
      report(
        `directory ${parent}: "${printable(nameFromBytes(name))}" cannot be found where it is kept`,
        "it would be placed anew"
      )
    }
    if (name.length === 0 || name.length > nameMax || name.includes(0) || name.includes(0x2f)) {
      report(`directory ${parent} has a name that no file can have`, "it would be moved to lost+found")
    }
  }
}

const checkInodes = (db: DatabaseSync, report: Report): void => {
  none<[number, number, number, number]>(
    db,
    report,
    `SELECT inode.ino, inode.mode, inode.nlink,
       CASE WHEN inode.mode & ${S_IFMT} <> ${S_IFDIR} THEN coalesce(named.count, 0)
         WHEN inode.ino <> 1 AND named.count IS NULL THEN 0
         ELSE 2 + coalesce(inside.count, 0) END AS expected
     FROM inode
     LEFT JOIN (SELECT ino, count(*) AS count FROM entry GROUP BY ino) AS named ON named.ino = inode.ino
     LEFT JOIN (SELECT parent, count(*) AS count FROM entry WHERE type = ${S_IFDIR >> 12} GROUP BY parent) AS inside ON inside.parent = inode.ino
     WHERE inode.nlink <> expected`,
    ([ino, mode, nlink, expected]) => `${typeName(mode)} ${ino} has a link count of ${nlink}, and ${expected} links`,
    "the count would be the links'; a file without any would be moved to lost+found"
  )
  none<[number, number]>(
    db,
    report,
    `SELECT ino, count(*) FROM entry WHERE type = ${S_IFDIR >> 12} GROUP BY ino HAVING count(*) > 1`,
    ([ino, count]) => `directory ${ino} has ${count} names`,
    "all but one would be removed"
  )
  none<[number]>(
    db,
    report,
    `WITH RECURSIVE below (ino) AS (SELECT 1 UNION SELECT entry.ino FROM entry JOIN below ON entry.parent = below.ino WHERE entry.type = ${S_IFDIR >> 12})
     SELECT ino FROM inode WHERE mode & ${S_IFMT} = ${S_IFDIR} AND nlink > 0 AND ino NOT IN below`,
    ([ino]) => `directory ${ino} cannot be reached from the root`,
    "it would be moved to lost+found"
  )
  none<[number, number]>(
    db,
    report,
    `SELECT ino, mode FROM inode WHERE (mode & ${S_IFMT} = ${S_IFREG}) <> (data IS NOT NULL) OR (mode & ${S_IFMT} = ${S_IFDIR}) <> (parent IS NOT NULL)
       OR (mode & ${S_IFMT} = ${S_IFLNK}) <> (target IS NOT NULL) OR (target IS NOT NULL AND size <> length(target)) OR size < 0`,
    ([ino, mode]) => `${typeName(mode)} ${ino} does not hold what one of its type does`,
    "it would hold what it can of it; a symlink without a target would be removed"
  )
  if (
    prepareQuery(db, `SELECT 1 FROM inode WHERE ino = 1 AND mode & ${S_IFMT} = ${S_IFDIR} AND parent = 1`).get() ===
    undefined
  ) {
    report("there is no root directory", "one would be made, and all that is in none moved to its lost+found")
  }
}

/** Returns the allocated blocks of all files. */
const checkContent = (db: DatabaseSync, report: Report): number => {
  none<[number, number]>(
    db,
    report,
    "SELECT data, count(*) FROM chunk WHERE data NOT IN (SELECT data FROM inode WHERE data IS NOT NULL) AND data NOT IN (SELECT data FROM dead) GROUP BY data",
    ([data, count]) => `${count} chunks of content ${data} are no file's`,
    "they would be removed"
  )
  none<[number, number]>(
    db,
    report,
    "SELECT data, count(*) FROM inode WHERE data IS NOT NULL GROUP BY data HAVING count(*) > 1 OR data IN (SELECT data FROM dead)",
    ([data, count]) => `content ${data} is that of ${count} files, or is being removed`,
    "each would be given a copy"
  )
  none<[number, number, number]>(
    db,
    report,
    `SELECT data, position, length(bytes) FROM chunk WHERE length(bytes) > ${chunkSize} OR position < 0 OR blocks <= 0 OR blocks > 65535`,
    ([data, position, length]) => `chunk ${position} of content ${data} is not one (${length} bytes)`,
    "it would be cut off"
  )
  none<[number, number]>(
    db,
    report,
    `SELECT inode.ino, chunk.position FROM inode JOIN chunk ON chunk.data = inode.data WHERE length(chunk.bytes) > 0 AND chunk.position * ${chunkSize} + length(chunk.bytes) > inode.size`,
    ([ino, position]) => `file ${ino} has bytes beyond its end, in chunk ${position}`,
    "they would be removed"
  )
  none<[number]>(
    db,
    report,
    "SELECT DISTINCT ino FROM xattr WHERE ino NOT IN (SELECT ino FROM inode)",
    ([ino]) => `attributes are kept of inode ${ino}, which is not there`,
    "they would be removed"
  )
  const used = new Map<number, number>()
  const chunks = db.prepare("SELECT data, blocks FROM chunk")
  chunks.setReturnArrays(true)
  for (const row of chunks.iterate()) {
    const [data, bits] = row as unknown as [number, number]
    used.set(data, (used.get(data) ?? 0) + countBits(bits))
  }
  let total = 0
  for (const [ino, data, blocks] of prepareQuery<[number, number | null, number]>(
    db,
    "SELECT ino, data, blocks FROM inode WHERE data IS NOT NULL OR blocks <> 0"
  ).all()) {
    const counted = data === null ? 0 : (used.get(data) ?? 0)
    total += counted
    if (blocks !== counted * 8)
      report(`file ${ino} counts ${blocks / 8} blocks, and has ${counted}`, "the count would be put right")
  }
  return total
}

const checkCounts = (db: DatabaseSync, report: Report, inodes: number, blocks: number): void => {
  const counts = readCounts(db)
  const largest =
    prepareQuery<[number]>(
      db,
      "SELECT max((SELECT coalesce(max(ino), 0) FROM inode), (SELECT coalesce(max(data), 0) FROM chunk))"
    ).get()?.[0] ?? 0
  if (counts === undefined) report("the store's counts are missing", "they would be counted anew")
  else {
    if (counts.inodes !== inodes || counts.blocks !== blocks) {
      report(
        `the store counts ${counts.inodes} inodes and ${counts.blocks} blocks, and has ${inodes} and ${blocks}`,
        "the counts would be put right"
      )
    }
    if (counts.nextId <= largest)
      report(`number ${counts.nextId} would be given out twice`, "the next would be above all that are in use")
  }
}

/** Reads all of a store's database, and says what is wrong. */
export const check = (db: DatabaseSync, path: string): StoreReport => {
  const problems: Array<StoreProblem> = []
  const report: Report = (what, repair) => void problems.push({ what, repair })
  checkPages(db, path, report)
  // The rest would only stumble over the same.
  if (problems.length > 0) return { inodes: 0, bytes: 0, orphans: 0, problems, damaged: true }
  checkInodes(db, report)
  checkEntries(db, report)
  const blocks = checkContent(db, report)
  const [inodes = 0, orphans = 0] =
    prepareQuery<[number, number]>(db, "SELECT count(*), coalesce(sum(nlink = 0), 0) FROM inode").get() ?? []
  checkCounts(db, report, inodes, blocks)
  return { inodes, bytes: blocks * 4096, orphans, problems, damaged: false }
}

/** Checks the store at `path`, which nobody may be serving. Only reads: nothing is changed, made or removed. */
export const checkStore = (path: string): Effect.Effect<StoreReport, SqliteStoreError> => readStore(path, check)
