/**
 * A mount's session: one row, which says who serves the store, and which every unit of work changes. Whoever finds the row
 * with another incarnation has lost the store, and changes nothing any more, whatever its clock says.
 */
import * as Data from "effect/Data"
import { readFileSync, readlinkSync } from "node:fs"
import { hostname } from "node:os"
import { dropLeases, dropLeasesOf } from "./leaseRows.ts"
import { type Database, type Row, type RunStatement, type Statement, whole } from "./database.ts"

/** Seconds without a sign of life after which a session is dead. */
export const deadAfterSeconds = 10

const lockStore: Statement = { name: "lockStore", text: "SELECT inodes, blocks FROM store FOR UPDATE" }
const sessions: Statement = {
  name: "sessions",
  text: `SELECT id, connection, holder, incarnation, units, inodes, blocks, answers,
      extract(epoch FROM clock_timestamp() - seen)::double precision, extract(epoch FROM seen)::text,
      shares, dead_after
    FROM session ORDER BY id FOR UPDATE`
}
const enter: Statement = {
  name: "enter",
  text: `INSERT INTO session (id, connection, holder, incarnation, units, inodes, blocks, answers, started, seen, shares, dead_after)
    VALUES (nextval('session_id'), $1::text, $2::text, 1, 0, 0, 0, '', clock_timestamp(), clock_timestamp(),
      $3::text::boolean, $4::text::double precision) RETURNING id`
}
const takeOver: Statement = {
  name: "takeOver",
  text: `UPDATE session SET incarnation = incarnation + 1, holder = $2::text, seen = clock_timestamp(),
      shares = $3::text::boolean, dead_after = $4::text::double precision
    WHERE id = $1::text::bigint RETURNING incarnation`
}
const fold: Statement = {
  name: "fold",
  text: `WITH gone AS (DELETE FROM session WHERE id = $1::text::bigint RETURNING inodes, blocks)
    UPDATE store SET inodes = store.inodes + gone.inodes, blocks = store.blocks + gone.blocks FROM gone`
}
const beat: Statement = {
  name: "beat",
  text: `UPDATE session SET seen = clock_timestamp()
    WHERE id = $1::text::bigint AND incarnation = $2::text::bigint RETURNING id`
}
const place: Statement = {
  name: "place",
  text: "SELECT incarnation, units FROM session WHERE id = $1::text::bigint"
}

/** Which process has a session, as far as it can be told from another process of the same machine. */
export interface Holder {
  readonly host: string
  /** Of the machine's start, and of the PID namespace: a `pid` means something within both only. */
  readonly boot: string
  readonly pids: string
  readonly pid: number
  /** Since the machine's start, in ticks; a `pid` is used again. */
  readonly since: string
}

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8").trim()
  } catch {
    return ""
  }
}

/** Field 22 of `/proc/PID/stat` (proc(5)), counted from the end of the name, which may hold anything. */
const startOf = (pid: number): string => {
  const stat = read(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
}

const pidNamespace = (): string => {
  try {
    return readlinkSync("/proc/self/ns/pid")
  } catch {
    return ""
  }
}

const thisHolder = (): Holder => ({
  host: hostname(),
  boot: read("/proc/sys/kernel/random/boot_id"),
  pids: pidNamespace(),
  pid: process.pid,
  since: startOf(process.pid)
})

const isHolder = (value: unknown): value is Holder =>
  typeof value === "object" &&
  value !== null &&
  ["host", "boot", "pids", "since"].every((key) => typeof Reflect.get(value, key) === "string") &&
  "pid" in value &&
  typeof value.pid === "number"

/** The holder of a session, as its row has it. */
export const holderOf = (text: unknown): Holder | undefined => {
  try {
    const parsed: unknown = JSON.parse(String(text))
    return isHolder(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

/** Sessions of this process that are being served. */
const served = new Set<string>()

/** True when the process that had a session is certainly gone: of this machine, and no longer there. */
const isGone = (holder: Holder | undefined, key: string): boolean => {
  const here = thisHolder()
  if (holder === undefined || holder.boot === "" || holder.boot !== here.boot || holder.pids !== here.pids) return false
  if (holder.pid === here.pid && holder.since === here.since) return !served.has(key)
  return startOf(holder.pid) !== holder.since
}

/** Another mount has the store. */
export class StoreTaken extends Data.TaggedError("StoreTaken")<{
  readonly message: string
  /** When the other mount was last seen, by the server's clock. */
  readonly seen: string
}> {}

/** A session that is this process's. */
export interface Session {
  readonly id: number
  readonly incarnation: number
  /** Units of work that took effect so far. */
  readonly units: number
  /** The answers that an earlier server of the same mount has recorded. */
  readonly answers: string
  /** The mount had an earlier server. */
  readonly isResumed: boolean
  /** What this session has added to the store. */
  readonly inodes: number
  readonly blocks: number
  /** What there is besides. */
  readonly otherInodes: number
  readonly otherBlocks: number
  /** Other mounts may serve the store as well. */
  readonly shares: boolean
}

interface Found {
  readonly id: number
  readonly connection: string
  readonly holder: Holder | undefined
  readonly incarnation: number
  readonly units: number
  readonly inodes: number
  readonly blocks: number
  readonly answers: string
  readonly age: number
  readonly seen: string
  readonly shares: boolean
  readonly deadAfter: number
}

const foundOf = ([id, connection, holder, incarnation, units, inodes, blocks, answers, age, ...rest]: Row): Found => ({
  id: whole(id),
  connection: String(connection),
  holder: holderOf(holder),
  incarnation: whole(incarnation),
  units: whole(units),
  inodes: whole(inodes),
  blocks: whole(blocks),
  answers: String(answers),
  age: Number(age),
  seen: String(rest[0]),
  shares: rest[1] === true,
  deadAfter: Number(rest[2])
})

const keyOf = (store: string, id: number): string => `${store} ${id}`

const taken = ({ age, holder, seen }: Found): StoreTaken => {
  const who = holder === undefined ? "another mount" : `process ${holder.pid} of host ${holder.host}`
  const message = `the store is in use by ${who}, last seen ${Math.max(0, age).toFixed(1)} s ago; it serves one mount at a time, unless all of them share it`
  return new StoreTaken({ message, seen })
}

/** How a mount serves a store. */
export interface SessionSettings {
  /** Together with other mounts, which do so as well. */
  readonly shares: boolean
  /** Seconds without a sign of life after which it is dead. */
  readonly deadAfter: number
}

const claimWith = async (
  run: RunStatement,
  store: string,
  connection: string,
  { deadAfter, shares }: SessionSettings
): Promise<Session> => {
  await run(lockStore, [])
  const found = (await run(sessions, [])).map(foundOf)
  const own = found.find((session) => session.connection === connection)
  const others: Array<Found> = []
  for (const other of found) {
    if (other === own) continue
    const isShared = shares && other.shares
    // The process of one that shares the store may be replaced just now, and nobody has to wait for it.
    if (other.age < other.deadAfter && (isShared || !isGone(other.holder, keyOf(store, other.id)))) {
      if (!isShared) throw taken(other)
      others.push(other)
    } else {
      await run(fold, [String(other.id)])
      await dropLeasesOf(run, [other.id])
    }
  }
  if (others.length === 0) await dropLeases(run)
  const [row = []] = await run(lockStore, [])
  const besides = {
    otherInodes: others.reduce((sum, { inodes }) => sum + inodes, whole(row[0])),
    otherBlocks: others.reduce((sum, { blocks }) => sum + blocks, whole(row[1])),
    shares
  }
  const settings = [JSON.stringify(thisHolder()), String(shares), String(deadAfter)]
  if (own !== undefined) {
    const [taking = []] = await run(takeOver, [String(own.id), ...settings])
    const { answers, blocks, id, inodes, units } = own
    return { id, incarnation: whole(taking[0]), units, answers, isResumed: true, inodes, blocks, ...besides }
  }
  const [entered = []] = await run(enter, [connection, ...settings])
  const id = whole(entered[0])
  return { id, incarnation: 1, units: 0, answers: "", isResumed: false, inodes: 0, blocks: 0, ...besides }
}

/**
 * Has the mount with this connection serve the store: an earlier server of the same mount is fenced, and so is a mount that
 * is dead. Rejects with `StoreTaken` while another mount is alive, or may be, unless both share it.
 */
export const claimSession = async (
  database: Database,
  store: string,
  connection: string,
  settings: SessionSettings
): Promise<Session> => {
  const session = await database.transaction((run) => claimWith(run, store, connection, settings))
  served.add(keyOf(store, session.id))
  return session
}

/** Ends those of these sessions that have shown no sign of life for their time: whatever they do has no effect any more. */
export const fenceDeadSessions = (database: Database, suspects: ReadonlyArray<number>): Promise<void> =>
  database.transaction(async (run) => {
    await run(lockStore, [])
    const found = (await run(sessions, [])).map(foundOf)
    const gone = suspects.filter((id) => {
      const session = found.find((one) => one.id === id)
      return session === undefined || session.age >= session.deadAfter
    })
    for (const id of gone) await run(fold, [String(id)])
    if (gone.length > 0) await dropLeasesOf(run, gone)
  })

/** Says that the session is alive; false when it is no longer this process's. */
export const beatSession = async (database: Database, { id, incarnation }: Session): Promise<boolean> =>
  (await database.run(beat, [String(id), String(incarnation)])).length > 0

/** How many units have taken effect; undefined when the session is no longer this process's. */
export const unitsOf = async (database: Database, { id, incarnation }: Session): Promise<number | undefined> => {
  const [row] = await database.run(place, [String(id)])
  return row === undefined || whole(row[0]) !== incarnation ? undefined : whole(row[1])
}

/** The process serves the session no longer; another server of the mount may, or any once this process has ended. */
export const releaseSession = (store: string, { id }: Session): void => void served.delete(keyOf(store, id))

/** Ends the session: its mount is gone. */
export const endSession = (database: Database, { id, incarnation }: Session): Promise<void> =>
  database.transaction(async (run) => {
    await run(lockStore, [])
    if ((await run(beat, [String(id), String(incarnation)])).length === 0) return
    await run(fold, [String(id)])
    await dropLeasesOf(run, [id])
  })
