/**
 * A unit of work: what operations have changed in memory since the last one, as one statement that stores it. It is one
 * transaction and one round trip, and it takes effect once however often it is sent: it names its place in the session's
 * sequence of units.
 */
import { type Name, nameKey, nameToBytes } from "@bickford/protocol"
import type { Inode } from "../posix/inode.ts"
import type { ContentBytes } from "./contentBytes.ts"
import { arrayOf, type Parameter, type Statement } from "./database.ts"
import type { Entry } from "./directory.ts"
import { integerColumns, integersOf, targetOf } from "./inodeRow.ts"

interface ChangedEntry {
  readonly parent: number
  readonly cookie: number
  readonly entry: Entry | undefined
}

interface ChangedXattr {
  readonly ino: number
  readonly name: Name
  readonly value: Uint8Array | undefined
}

/** What is changed, each thing once: as it is to be stored. */
export class Unit {
  readonly inodes = new Set<Inode>()
  readonly removed = new Set<number>()
  /** Numbers of new inodes. */
  readonly made = new Set<number>()
  readonly entries = new Map<string, ChangedEntry>()
  readonly xattrs = new Map<string, ChangedXattr>()
  readonly contents = new Map<ContentBytes, Set<number>>()
  /** Contents whose rows go at once, and those whose rows go later. */
  readonly gone = new Set<number>()
  readonly dead = new Set<number>()
  /** Takes back what the changes have added to what is used, the last first. */
  readonly undo: Array<() => void> = []

  get isEmpty(): boolean {
    return (
      this.inodes.size === 0 &&
      this.removed.size === 0 &&
      this.entries.size === 0 &&
      this.xattrs.size === 0 &&
      this.contents.size === 0 &&
      this.gone.size === 0 &&
      this.dead.size === 0
    )
  }

  entry(parent: number, cookie: number, entry: Entry | undefined): void {
    this.entries.set(`${parent}:${cookie}`, { parent, cookie, entry })
  }

  xattr(ino: number, name: Name, value: Uint8Array | undefined): void {
    this.xattrs.set(`${ino}:${nameKey(name)}`, { ino, name, value })
  }

  chunk(content: ContentBytes, position: number): void {
    const positions = this.contents.get(content)
    if (positions === undefined) this.contents.set(content, new Set([position]))
    else positions.add(position)
  }

  contentGone(content: ContentBytes, id: number, later: boolean): void {
    this.contents.delete(content)
    ;(later ? this.dead : this.gone).add(id)
  }
}

/** Whose unit it is, and what of the session is stored with it. */
export interface UnitOf {
  readonly session: number
  readonly incarnation: number
  /** The session's number of units before this one. */
  readonly units: number
  /** What the session has added to the store, all in all. */
  readonly inodes: number
  readonly blocks: number
  /** Undefined: the answers that are stored are right. */
  readonly answers: string | undefined
  /** Other hosts may serve the store as well: what is made is leased. */
  readonly shares: boolean
}

/** A statement with its parameters. It returns one row if the unit took effect, and none if the session is at another unit. */
export interface StoringUnit {
  readonly statement: Statement
  readonly parameters: ReadonlyArray<Parameter>
  /** Bytes of names, values and content in it. */
  readonly size: number
}

/** Collects the parameters of a statement; all strings of bytes are the first of them, cut up by the server. */
class Parameters {
  readonly values: Array<Parameter> = [""]
  readonly #bytes: Array<Uint8Array> = []
  size = 0

  number(value: number): string {
    return `$${this.values.push(String(value))}::text::bigint`
  }
  text(value: string): string {
    return `$${this.values.push(value)}::text`
  }
  numbers(values: Iterable<number | bigint | null>): string {
    return `$${this.values.push(arrayOf(values))}::text::bigint[]`
  }
  /** Where the bytes begin, for `cut`. */
  bytes(value: Uint8Array): number {
    this.#bytes.push(value)
    this.size += value.length
    return this.size - value.length + 1
  }
  all(): ReadonlyArray<Parameter> {
    this.values[0] = Buffer.concat(this.#bytes)
    return this.values
  }
}

/** One part of the statement; undefined where it has nothing to store. */
type Part = (parameters: Parameters, unit: Unit, of: UnitOf) => string | undefined

const cut = (at: string, length: string): string => `substring($1::bytea FROM ${at}::integer FOR ${length}::integer)`
const live = "EXISTS (SELECT FROM fence)"

const putInodes: Part = (parameters, { inodes, removed }) => {
  const rows = [...inodes].filter(({ ino }) => !removed.has(ino))
  if (rows.length === 0) return undefined
  const columns: ReadonlyArray<Array<number | bigint | null>> = integerColumns.map(() => [])
  const at: Array<number | null> = []
  const length: Array<number | null> = []
  for (const inode of rows) {
    for (const [n, value] of integersOf(inode).entries()) columns[n]?.push(value)
    const target = targetOf(inode)
    at.push(target === undefined ? null : parameters.bytes(target))
    length.push(target === undefined ? null : target.length)
  }
  const names = integerColumns.join(", ")
  const given = [...columns, at, length].map((values) => parameters.numbers(values)).join(", ")
  const changed = integerColumns.slice(1).map((column) => `${column} = excluded.${column}`)
  return `INSERT INTO inode AS i (${names}, target, version)
    SELECT ${names}, ${cut("target_at", "target_length")}, 1
    FROM unnest(${given}) AS row (${names}, target_at, target_length) WHERE ${live}
    ON CONFLICT (ino) DO UPDATE SET ${changed.join(", ")}, target = excluded.target, version = i.version + 1`
}

const removeInodes: Part = (parameters, { removed }) =>
  removed.size === 0 ? undefined : `DELETE FROM inode WHERE ino = ANY (${parameters.numbers(removed)}) AND ${live}`

const removeXattrsOfInodes: Part = (parameters, { removed }) =>
  removed.size === 0 ? undefined : `DELETE FROM xattr WHERE ino = ANY (${parameters.numbers(removed)}) AND ${live}`

const putEntries: Part = (parameters, { entries }) => {
  const rows: Array<ChangedEntry & { readonly entry: Entry }> = []
  for (const { cookie, entry, parent } of entries.values())
    if (entry !== undefined) rows.push({ cookie, entry, parent })
  if (rows.length === 0) return undefined
  const names = rows.map(({ entry }) => nameToBytes(entry.name))
  const given = [
    rows.map(({ parent }) => parent),
    rows.map(({ cookie }) => cookie),
    rows.map(({ entry }) => entry.ino),
    rows.map(({ entry }) => entry.type),
    names.map((name) => parameters.bytes(name)),
    names.map((name) => name.length)
  ].map((values) => parameters.numbers(values))
  return `INSERT INTO entry (parent, cookie, ino, type, name)
    SELECT parent, cookie, ino, type, ${cut("name_at", "name_length")}
    FROM unnest(${given.join(", ")}) AS row (parent, cookie, ino, type, name_at, name_length) WHERE ${live}
    ON CONFLICT (parent, cookie) DO UPDATE SET ino = excluded.ino, type = excluded.type, name = excluded.name`
}

const removeEntries: Part = (parameters, { entries }) => {
  const rows = [...entries.values()].filter(({ entry }) => entry === undefined)
  if (rows.length === 0) return undefined
  const parents = parameters.numbers(rows.map(({ parent }) => parent))
  const cookies = parameters.numbers(rows.map(({ cookie }) => cookie))
  return `DELETE FROM entry USING unnest(${parents}, ${cookies}) AS row (parent, cookie)
    WHERE entry.parent = row.parent AND entry.cookie = row.cookie AND ${live}`
}

const putXattrs: Part = (parameters, { removed, xattrs }) => {
  const rows: Array<{ readonly ino: number; readonly name: Uint8Array; readonly value: Uint8Array }> = []
  for (const { ino, name, value } of xattrs.values())
    if (value !== undefined && !removed.has(ino)) rows.push({ ino, name: nameToBytes(name), value })
  if (rows.length === 0) return undefined
  const given = [
    rows.map(({ ino }) => ino),
    rows.map(({ name }) => parameters.bytes(name)),
    rows.map(({ name }) => name.length),
    rows.map(({ value }) => parameters.bytes(value)),
    rows.map(({ value }) => value.length)
  ].map((values) => parameters.numbers(values))
  return `INSERT INTO xattr (ino, name, value)
    SELECT ino, ${cut("name_at", "name_length")}, ${cut("value_at", "value_length")}
    FROM unnest(${given.join(", ")}) AS row (ino, name_at, name_length, value_at, value_length) WHERE ${live}
    ON CONFLICT (ino, name) DO UPDATE SET value = excluded.value`
}

const removeXattrs: Part = (parameters, { removed, xattrs }) => {
  const rows = [...xattrs.values()].filter(({ ino, value }) => value === undefined && !removed.has(ino))
  if (rows.length === 0) return undefined
  const names = rows.map(({ name }) => nameToBytes(name))
  const given = [
    rows.map(({ ino }) => ino),
    names.map((name) => parameters.bytes(name)),
    names.map((name) => name.length)
  ].map((values) => parameters.numbers(values))
  return `DELETE FROM xattr USING unnest(${given.join(", ")}) AS row (ino, name_at, name_length)
    WHERE xattr.ino = row.ino AND xattr.name = ${cut("row.name_at", "row.name_length")} AND ${live}`
}

/** A chunk as it is to be stored. */
interface ChangedChunk {
  readonly data: number
  readonly position: number
  readonly bits: number
  readonly bytes: Uint8Array | undefined
}

const chunksOf = ({ contents }: Unit): ReadonlyArray<ChangedChunk> => {
  const chunks: Array<ChangedChunk> = []
  for (const [content, positions] of contents)
    for (const position of positions) chunks.push({ data: content.id, position, ...content.stored(position) })
  return chunks
}

const removeChunks: Part = (parameters, unit) => {
  const rows = chunksOf(unit).filter(({ bits }) => bits === 0)
  if (rows.length === 0) return undefined
  const data = parameters.numbers(rows.map((row) => row.data))
  const positions = parameters.numbers(rows.map(({ position }) => position))
  return `DELETE FROM chunk USING unnest(${data}, ${positions}) AS row (data, position)
    WHERE chunk.data = row.data AND chunk.position = row.position AND ${live}`
}

/** Chunks of which only the bits have changed. */
const putBits: Part = (parameters, unit) => {
  const rows = chunksOf(unit).filter(({ bits, bytes }) => bits !== 0 && bytes === undefined)
  if (rows.length === 0) return undefined
  const given = [rows.map(({ data }) => data), rows.map(({ position }) => position), rows.map(({ bits }) => bits)].map(
    (values) => parameters.numbers(values)
  )
  return `INSERT INTO chunk (data, position, blocks, bytes)
    SELECT data, position, blocks, ''::bytea FROM unnest(${given.join(", ")}) AS row (data, position, blocks) WHERE ${live}
    ON CONFLICT (data, position) DO UPDATE SET blocks = excluded.blocks`
}

const putChunks: Part = (parameters, unit) => {
  const rows: Array<ChangedChunk & { readonly bytes: Uint8Array }> = []
  for (const { bits, bytes, data, position } of chunksOf(unit))
    if (bits !== 0 && bytes !== undefined) rows.push({ bits, bytes, data, position })
  if (rows.length === 0) return undefined
  const given = [
    rows.map(({ data }) => data),
    rows.map(({ position }) => position),
    rows.map(({ bits }) => bits),
    rows.map(({ bytes }) => parameters.bytes(bytes)),
    rows.map(({ bytes }) => bytes.length)
  ].map((values) => parameters.numbers(values))
  return `INSERT INTO chunk (data, position, blocks, bytes)
    SELECT data, position, blocks, ${cut("bytes_at", "bytes_length")}
    FROM unnest(${given.join(", ")}) AS row (data, position, blocks, bytes_at, bytes_length) WHERE ${live}
    ON CONFLICT (data, position) DO UPDATE SET blocks = excluded.blocks, bytes = excluded.bytes`
}

const removeContents: Part = (parameters, { gone }) =>
  gone.size === 0 ? undefined : `DELETE FROM chunk WHERE data = ANY (${parameters.numbers(gone)}) AND ${live}`

const buryContents: Part = (parameters, { dead }) =>
  dead.size === 0
    ? undefined
    : `INSERT INTO dead (data) SELECT data FROM unnest(${parameters.numbers(dead)}) AS row (data) WHERE ${live}`

const putLeases: Part = (parameters, { made, removed }, { session, shares }) => {
  const rows = shares ? [...made].filter((ino) => !removed.has(ino)) : []
  if (rows.length === 0) return undefined
  const own = `ARRAY[${parameters.number(session)}]`
  return `INSERT INTO lease (ino, holders, exclusive, knowers)
    SELECT ino, ${own}, true, ${own} FROM unnest(${parameters.numbers(rows)}) AS row (ino) WHERE ${live}
    ON CONFLICT (ino) DO NOTHING`
}

const removeLeases: Part = (parameters, { removed }, { shares }) =>
  shares && removed.size > 0
    ? `DELETE FROM lease WHERE ino = ANY (${parameters.numbers(removed)}) AND ${live}`
    : undefined

const parts: ReadonlyArray<Part> = [
  putInodes,
  removeInodes,
  removeXattrsOfInodes,
  putEntries,
  removeEntries,
  putXattrs,
  removeXattrs,
  removeChunks,
  putBits,
  putChunks,
  removeContents,
  buryContents,
  putLeases,
  removeLeases
]

/**
 * The statement that stores a unit. Statements with the same parts are the same, and are prepared once. A row is in one
 * part only, since all parts see the rows as they were before.
 */
export const storingUnit = (unit: Unit, of: UnitOf): StoringUnit => {
  const parameters = new Parameters()
  const answers = of.answers === undefined ? "" : `, answers = ${parameters.text(of.answers)}`
  const fence = `fence AS (UPDATE session
    SET units = units + 1, inodes = ${parameters.number(of.inodes)}, blocks = ${parameters.number(of.blocks)}, seen = now()${answers}
    WHERE id = ${parameters.number(of.session)} AND incarnation = ${parameters.number(of.incarnation)} AND units = ${parameters.number(of.units)}
    RETURNING units)`
  let mask = answers === "" ? 0 : 1
  const texts: Array<string> = []
  for (const [n, part] of parts.entries()) {
    const text = part(parameters, unit, of)
    if (text === undefined) continue
    mask |= 2 << n
    texts.push(`part${n} AS (${text})`)
  }
  // A statement without bytes names the parameter as well, so that its type is known.
  const text = `WITH ${[fence, ...texts].join(", ")} SELECT units, length($1::bytea) FROM fence`
  return {
    statement: { name: `unit${mask}`, text },
    parameters: parameters.all(),
    size: parameters.size
  }
}
