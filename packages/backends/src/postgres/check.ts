/** `fsck` of a store: reads all of it in one snapshot, changes nothing, says what is wrong. */
import { nameFromBytes, printable } from "@bickford/protocol"
import type * as Effect from "effect/Effect"
import { nameMax, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "../posix/linux.ts"
import { firstCookie, type HashKey, lastCookie } from "../sqlite/names.ts"
import { bytesOf, type Database, type Row, type RunStatement, whole } from "./database.ts"
import type { PostgresStoreError } from "./errors.ts"
import { inspectStore } from "./inspect.ts"
import { readHashKey } from "./open.ts"
import { chunkSize, idsPerBlock, rootId } from "./schema.ts"

/** What `checkPostgres` found. */
export interface PostgresReport {
  readonly inodes: number
  /** Bytes of file data, in whole blocks of 4096. */
  readonly bytes: number
  /** Files with no name, which somebody has open, or had when the store was last served. */
  readonly orphans: number
  /** Mounts that serve the store, or did until they died: 0 or 1. */
  readonly sessions: number
  /** A sentence for each thing that is wrong. */
  readonly problems: ReadonlyArray<string>
}

/** More problems of one kind than this are counted only. */
const shown = 20

/** A rule: rows that should not be, and the sentence for one. */
interface Rule {
  readonly name: string
  readonly sql: string
  readonly what: (row: Row) => string
}

const isDirectory = `i.mode & ${S_IFMT} = ${S_IFDIR}`
const typeName = (mode: unknown): string =>
  (whole(mode) & S_IFMT) === S_IFDIR ? "directory" : (whole(mode) & S_IFMT) === S_IFREG ? "file" : "node"

const rules: ReadonlyArray<Rule> = [
  {
    name: "entryWithoutInode",
    sql: "SELECT e.parent, e.ino FROM entry AS e LEFT JOIN inode AS i ON i.ino = e.ino WHERE i.ino IS NULL",
    what: ([parent, ino]) => `directory ${String(parent)} names inode ${String(ino)}, which is not there`
  },
  {
    name: "entryWithoutDirectory",
    sql: `SELECT e.parent, count(*) FROM entry AS e LEFT JOIN inode AS i ON i.ino = e.parent
      WHERE i.ino IS NULL OR NOT (${isDirectory}) OR i.nlink = 0 GROUP BY e.parent`,
    what: ([parent, count]) => `${String(count)} names lie in ${String(parent)}, which is not a directory`
  },
  {
    name: "entryOfAnotherType",
    sql: "SELECT e.parent, e.ino FROM entry AS e JOIN inode AS i ON i.ino = e.ino WHERE e.type <> i.mode >> 12",
    what: ([parent, ino]) => `directory ${String(parent)} has inode ${String(ino)} as one of another type`
  },
  {
    name: "directoryElsewhere",
    sql: `SELECT e.parent, e.ino FROM entry AS e JOIN inode AS i ON i.ino = e.ino
      WHERE i.parent IS NOT NULL AND i.parent <> e.parent`,
    what: ([parent, ino]) => `directory ${String(ino)} lies in ${String(parent)}, and says that it lies elsewhere`
  },
  {
    name: "nameTwice",
    sql: "SELECT parent, count(*) FROM entry GROUP BY parent, name HAVING count(*) > 1",
    what: ([parent, count]) => `directory ${String(parent)} has one name ${String(count)} times`
  },
  {
    name: "links",
    sql: `SELECT * FROM (SELECT i.ino, i.mode, i.nlink,
        CASE WHEN NOT (${isDirectory}) THEN coalesce(named.count, 0)
          WHEN i.ino <> ${rootId} AND named.count IS NULL THEN 0
          ELSE 2 + coalesce(inside.count, 0) END AS expected
      FROM inode AS i
      LEFT JOIN (SELECT ino, count(*) AS count FROM entry GROUP BY ino) AS named ON named.ino = i.ino
      LEFT JOIN (SELECT parent, count(*) AS count FROM entry WHERE type = ${S_IFDIR >> 12} GROUP BY parent) AS inside
        ON inside.parent = i.ino) AS counted
      WHERE nlink <> expected`,
    what: ([ino, mode, nlink, expected]) =>
      `${typeName(mode)} ${String(ino)} has a link count of ${String(nlink)}, and ${String(expected)} links`
  },
  {
    name: "directoryTwice",
    sql: `SELECT ino, count(*) FROM entry WHERE type = ${S_IFDIR >> 12} GROUP BY ino HAVING count(*) > 1`,
    what: ([ino, count]) => `directory ${String(ino)} has ${String(count)} names`
  },
  {
    name: "unreachable",
    sql: `WITH RECURSIVE below (ino) AS (SELECT ${rootId}::bigint UNION
        SELECT e.ino FROM entry AS e JOIN below ON e.parent = below.ino WHERE e.type = ${S_IFDIR >> 12})
      SELECT i.ino FROM inode AS i WHERE ${isDirectory} AND i.nlink > 0 AND i.ino NOT IN (SELECT ino FROM below)`,
    what: ([ino]) => `directory ${String(ino)} cannot be reached from the root`
  },
  {
    name: "content",
    sql: `SELECT i.ino, i.mode FROM inode AS i
      WHERE (i.mode & ${S_IFMT} = ${S_IFREG}) <> (i.data IS NOT NULL) OR (${isDirectory}) <> (i.parent IS NOT NULL)
        OR (i.mode & ${S_IFMT} = ${S_IFLNK}) <> (i.target IS NOT NULL)
        OR (i.target IS NOT NULL AND i.size <> length(i.target)) OR i.size < 0`,
    what: ([ino, mode]) => `${typeName(mode)} ${String(ino)} does not hold what one of its type does`
  },
  {
    name: "chunkOfNobody",
    sql: `SELECT c.data, count(*) FROM chunk AS c WHERE NOT EXISTS (SELECT FROM inode AS i WHERE i.data = c.data)
        AND NOT EXISTS (SELECT FROM dead AS d WHERE d.data = c.data) GROUP BY c.data`,
    what: ([data, count]) => `${String(count)} chunks of content ${String(data)} are no file's`
  },
  {
    name: "contentTwice",
    sql: `SELECT i.data, count(*) FROM inode AS i WHERE i.data IS NOT NULL GROUP BY i.data
      HAVING count(*) > 1 OR i.data IN (SELECT data FROM dead)`,
    what: ([data, count]) => `content ${String(data)} is that of ${String(count)} files, or is being removed`
  },
  {
    name: "chunkForm",
    sql: `SELECT data, position, length(bytes) FROM chunk
      WHERE length(bytes) > ${chunkSize} OR position < 0 OR blocks <= 0 OR blocks > 65535`,
    what: ([data, position, length]) =>
      `chunk ${String(position)} of content ${String(data)} is not one (${String(length)} bytes)`
  },
  {
    name: "beyondTheEnd",
    sql: `SELECT i.ino, c.position FROM inode AS i JOIN chunk AS c ON c.data = i.data
      WHERE length(c.bytes) > 0 AND c.position::numeric * ${chunkSize} + length(c.bytes) > i.size`,
    what: ([ino, position]) => `file ${String(ino)} has bytes beyond its end, in chunk ${String(position)}`
  },
  {
    name: "xattrOfNobody",
    sql: "SELECT DISTINCT x.ino FROM xattr AS x WHERE NOT EXISTS (SELECT FROM inode AS i WHERE i.ino = x.ino)",
    what: ([ino]) => `attributes are kept of inode ${String(ino)}, which is not there`
  },
  {
    name: "blocks",
    sql: `SELECT * FROM (SELECT i.ino, i.blocks / 8 AS counted, coalesce(used.blocks, 0) AS had FROM inode AS i
      LEFT JOIN (SELECT data, sum(bit_count(blocks::bit(32))) AS blocks FROM chunk GROUP BY data) AS used
        ON used.data = i.data) AS both_counts
      WHERE counted <> had`,
    what: ([ino, counted, had]) => `file ${String(ino)} counts ${String(counted)} blocks, and has ${String(had)}`
  },
  {
    name: "numbers",
    sql: `SELECT largest, blocks FROM
      (SELECT greatest(coalesce((SELECT max(ino) FROM inode), 0), coalesce((SELECT max(data) FROM chunk), 0)) AS largest,
        (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM id_block) AS blocks) AS given
      WHERE largest >= (blocks + 1) * ${idsPerBlock}`,
    what: ([largest]) => `number ${String(largest)} is in use, and could be given out again`
  },
  {
    name: "counts",
    sql: `SELECT inodes, blocks, has_inodes, has_blocks FROM
      (SELECT store.inodes + coalesce((SELECT sum(inodes) FROM session), 0) AS inodes,
        store.blocks + coalesce((SELECT sum(blocks) FROM session), 0) AS blocks,
        (SELECT count(*) FROM inode) AS has_inodes, (SELECT coalesce(sum(blocks), 0) / 8 FROM inode) AS has_blocks
      FROM store) AS counted
      WHERE inodes <> has_inodes OR blocks <> has_blocks`,
    what: ([inodes, blocks, hasInodes, hasBlocks]) =>
      `the store counts ${String(inodes)} inodes and ${String(blocks)} blocks, and has ${String(hasInodes)} and ${String(hasBlocks)}`
  },
  {
    name: "root",
    sql: `SELECT count(*) FROM inode AS i WHERE i.ino = ${rootId} AND ${isDirectory} AND i.parent = ${rootId}
      HAVING count(*) = 0 AND EXISTS (SELECT FROM inode)`,
    what: () => "there is no root directory"
  }
]

const entriesAtOnce = 5000

/** Names that cannot be found where they are kept, or that no file can have. */
const checkNames = async (run: RunStatement, key: HashKey, tell: (what: string) => void): Promise<void> => {
  const page = {
    name: "checkNames",
    text: `SELECT parent, cookie, name FROM entry WHERE (parent, cookie) > ($1::text::bigint, $2::text::bigint)
      ORDER BY parent, cookie LIMIT ${entriesAtOnce}`
  }
  for (let last: Row = [0, 0]; ;) {
    const rows = await run(page, [String(last[0]), String(last[1])])
    for (const [parent, cookie, given] of rows) {
      const name = bytesOf(given)
      const first = firstCookie(name, key)
      if (whole(cookie) < first || whole(cookie) > lastCookie(first))
        tell(`directory ${String(parent)}: "${printable(nameFromBytes(name))}" cannot be found where it is kept`)
      if (name.length === 0 || name.length > nameMax || name.includes(0) || name.includes(0x2f))
        tell(`directory ${String(parent)} has a name that no file can have`)
    }
    if (rows.length < entriesAtOnce) return
    last = rows.at(-1) ?? last
  }
}

const totals = {
  name: "totals",
  text: `SELECT (SELECT count(*) FROM inode), (SELECT coalesce(sum(blocks), 0) * 512 FROM inode),
    (SELECT count(*) FROM inode WHERE nlink = 0), (SELECT count(*) FROM session)`
}

const checkNow = (database: Database, key: HashKey): Promise<PostgresReport> =>
  database.transaction(async (run, script) => {
    // One snapshot for all that is looked at: the store may be served meanwhile.
    await script("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    const problems: Array<string> = []
    for (const { name, sql, what } of rules) {
      const rows = await run({ name: `check ${name}`, text: sql }, [])
      for (const row of rows.slice(0, shown)) problems.push(what(row))
      if (rows.length > shown) problems.push(`... and ${rows.length - shown} more like this`)
    }
    await checkNames(run, key, (what) => void problems.push(what))
    const [[inodes, bytes, orphans, sessions] = []] = await run(totals, [])
    return {
      inodes: whole(inodes),
      bytes: whole(bytes),
      orphans: whole(orphans),
      sessions: whole(sessions),
      problems
    }
  })

/** Checks the store that a URL names, which may be mounted meanwhile. Only reads. */
export const checkPostgres = (url: string): Effect.Effect<PostgresReport, PostgresStoreError> =>
  inspectStore(url, async (database) => checkNow(database, await readHashKey(database)))
