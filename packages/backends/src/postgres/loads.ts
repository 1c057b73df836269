/** The statements that load rows into memory, one for each kind of what can be missing. */
import { type Name, nameFromBytes, nameToBytes } from "@bickford/protocol"
import type { Inode } from "../posix/inode.ts"
import { firstCookie, type HashKey, lastCookie } from "../sqlite/names.ts"
import { arrayOf, bytesOf, type Row, type RunStatement, type Statement, whole } from "./database.ts"
import type { Entry } from "./directory.ts"
import { inodeColumnCount, inodeColumns, inodeOf, type InodeSettings } from "./inodeRow.ts"

/** Entries of a page. */
export const pageSize = 512
/** Chunks of which the bits are loaded at a time: 256 MiB of a file. */
const bitsAtOnce = 4096

const inodesByNumber: Statement = {
  name: "inodes",
  text: `SELECT ${inodeColumns} FROM inode AS i WHERE i.ino = ANY ($1::text::bigint[])`
}
const orphanInodes: Statement = {
  name: "orphans",
  text: `SELECT ${inodeColumns} FROM inode AS i WHERE i.nlink = 0`
}
const nameOfDirectory: Statement = {
  name: "name",
  text: `WITH e AS MATERIALIZED (
      SELECT cookie, ino, type, name FROM entry
      WHERE parent = $1::text::bigint AND cookie BETWEEN $2::text::bigint AND $3::text::bigint)
    SELECT ${inodeColumns}, e.cookie, e.ino, e.type, e.name FROM inode AS i LEFT JOIN e ON e.ino = i.ino
    WHERE i.ino = ANY (ARRAY[$1::text::bigint] || ARRAY(SELECT ino FROM e))`
}
const page: Statement = {
  name: "page",
  text: `SELECT cookie, ino, type, name FROM entry
    WHERE parent = $1::text::bigint AND cookie > $2::text::bigint ORDER BY cookie LIMIT ${pageSize}`
}
const pageWithInodes: Statement = {
  name: "pagePlus",
  text: `WITH e AS MATERIALIZED (
      SELECT cookie, ino, type, name FROM entry
      WHERE parent = $1::text::bigint AND cookie > $2::text::bigint ORDER BY cookie LIMIT ${pageSize})
    SELECT ${inodeColumns}, e.cookie, e.ino, e.type, e.name FROM e LEFT JOIN inode AS i ON i.ino = e.ino ORDER BY e.cookie`
}
const bits: Statement = {
  name: "bits",
  text: `SELECT position, blocks FROM chunk
    WHERE data = $1::text::bigint AND position >= $2::text::bigint ORDER BY position LIMIT ${bitsAtOnce}`
}
const chunks: Statement = {
  name: "chunks",
  text: `SELECT position, blocks, bytes FROM chunk
    WHERE data = $1::text::bigint AND position BETWEEN $2::text::bigint AND $3::text::bigint ORDER BY position`
}
const edges: Statement = {
  name: "edges",
  text: `SELECT position, blocks, CASE WHEN position IN ($2::text::bigint, $3::text::bigint) THEN bytes END FROM chunk
    WHERE data = $1::text::bigint AND position BETWEEN $2::text::bigint AND $3::text::bigint ORDER BY position`
}
const nextIds: Statement = { name: "ids", text: "SELECT nextval('id_block')" }

type Request = Parameters<RunStatement>

/** Entries with the inodes that they name. */
interface EntriesAndInodes {
  readonly entries: ReadonlyArray<Entry>
  readonly inodes: ReadonlyArray<Inode>
}

/** A chunk as it is stored. */
interface StoredChunk {
  readonly position: number
  readonly bits: number
  readonly bytes: Uint8Array
}

/** A chunk whose bytes may not have been asked for. */
interface StoredEdge {
  readonly position: number
  readonly bits: number
  readonly bytes: Uint8Array | undefined
}

// The driver's buffer may be part of a larger one.
const chunkOf = ([position, blocks, bytes]: Row): StoredChunk => ({
  position: whole(position),
  bits: whole(blocks),
  bytes: new Uint8Array(bytesOf(bytes))
})

const entryOf = (cookie: unknown, ino: unknown, type: unknown, name: unknown): Entry => ({
  cookie: whole(cookie),
  ino: whole(ino),
  type: whole(type),
  name: nameFromBytes(bytesOf(name).slice())
})

export const makeLoads = (run: RunStatement, key: HashKey, settings: InodeSettings) => {
  const split = (rows: ReadonlyArray<Row>): EntriesAndInodes => {
    const entries: Array<Entry> = []
    const inodes = new Map<number, Inode>()
    for (const row of rows) {
      const [cookie, ino, type, name] = row.slice(inodeColumnCount)
      if (cookie !== null) entries.push(entryOf(cookie, ino, type, name))
      if (row[0] === null) continue
      const inode = inodeOf(row, settings)
      inodes.set(inode.ino, inode)
    }
    return { entries, inodes: [...inodes.values()] }
  }
  /** The last cookie that a page tells of. */
  const through = (entries: ReadonlyArray<Entry>, rows: number): number =>
    rows < pageSize ? Infinity : (entries.at(-1)?.cookie ?? Infinity)

  const requests = {
    inodes: (inos: ReadonlyArray<number>): Request => [inodesByNumber, [arrayOf(inos)]],
    name: (parent: number, name: Name): Request => {
      const first = firstCookie(nameToBytes(name), key)
      return [nameOfDirectory, [String(parent), String(first), String(lastCookie(first))]]
    },
    page: (parent: number, after: number, withInodes: boolean): Request => [
      withInodes ? pageWithInodes : page,
      [String(parent), String(after)]
    ]
  }
  const take = {
    inodes: (rows: ReadonlyArray<Row>): ReadonlyArray<Inode> => rows.map((row) => inodeOf(row, settings)),
    name: split,
    page: (rows: ReadonlyArray<Row>, withInodes: boolean): EntriesAndInodes & { readonly through: number } => {
      const found = withInodes
        ? split(rows)
        : { entries: rows.map(([cookie, ino, type, name]) => entryOf(cookie, ino, type, name)), inodes: [] }
      return { ...found, through: through(found.entries, rows.length) }
    }
  }

  return {
    /** What is sent for some rows, and what is made of them: for those who send it together with something else. */
    requests,
    take,
    inodes: async (inos: ReadonlyArray<number>): Promise<ReadonlyArray<Inode>> =>
      take.inodes(await run(...requests.inodes(inos))),
    orphans: async (): Promise<ReadonlyArray<Inode>> => take.inodes(await run(orphanInodes, [])),
    /** The entries at all cookies that a name can have, and the directory itself. */
    name: async (parent: number, name: Name): Promise<EntriesAndInodes> =>
      take.name(await run(...requests.name(parent, name))),
    page: async (
      parent: number,
      after: number,
      withInodes: boolean
    ): Promise<EntriesAndInodes & { readonly through: number }> =>
      take.page(await run(...requests.page(parent, after, withInodes)), withInodes),
    /** The bits of chunks from `first` on, and the last chunk that they tell of: Infinity when there are no more. */
    bits: async (
      data: number,
      first: number
    ): Promise<{ readonly rows: ReadonlyArray<Omit<StoredChunk, "bytes">>; readonly last: number }> => {
      const rows = (await run(bits, [String(data), String(first)])).map(([position, blocks]) => ({
        position: whole(position),
        bits: whole(blocks)
      }))
      return { rows, last: rows.length < bitsAtOnce ? Infinity : (rows.at(-1)?.position ?? Infinity) }
    },
    chunks: async (data: number, first: number, last: number): Promise<ReadonlyArray<StoredChunk>> =>
      (await run(chunks, [String(data), String(first), String(last)])).map(chunkOf),
    /** The chunks from `first` to `last`; bytes of those two only. */
    edges: async (data: number, first: number, last: number): Promise<ReadonlyArray<StoredEdge>> =>
      (await run(edges, [String(data), String(first), String(last)])).map((row) =>
        row[2] === null ? { position: whole(row[0]), bits: whole(row[1]), bytes: undefined } : chunkOf(row)
      ),
    /** The number of a block of numbers that nobody else has. */
    idBlock: async (): Promise<number> => whole((await run(nextIds, []))[0]?.[0])
  }
}

export type Loads = ReturnType<typeof makeLoads>
