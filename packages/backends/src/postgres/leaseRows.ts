/**
 * The rows of leases: for each inode that a host has in memory, which sessions hold it, and whether one of them alone may
 * change it. A statement that takes leases says for each whether it was granted, and has the holders of those that were
 * not told (NOTIFY), which is sent on a conflict only: it takes a lock of the whole server's at the commit.
 */
import {
  arrayOf,
  type Database,
  type Parameter,
  type Row,
  type RunStatement,
  type Statement,
  whole
} from "./database.ts"
import { pageSize } from "./loads.ts"

/** Seconds for which nobody else is granted a lease that a session has asked for and was refused. */
const turnSeconds = 1

/** The session that leases are taken for. */
interface Taker {
  readonly id: number
  readonly incarnation: number
}

/** What a lease is asked for: read, together with others, or change, alone. */
export interface TakeRequest {
  readonly statement: Statement
  readonly parameters: ReadonlyArray<Parameter>
}

/** What became of one lease that was asked for. */
export interface TakenLease {
  readonly ino: number
  readonly isGranted: boolean
  readonly isExclusive: boolean
  /** The other sessions that hold it. */
  readonly holders: ReadonlyArray<number>
  /** No other host's kernel may know the inode. */
  readonly isOnlyOurs: boolean
}

const isHolder = "l.holders @> excluded.holders"
/** The session has what it asks for. */
const isHeld = `(${isHolder} AND (l.exclusive OR NOT excluded.exclusive))`
const isStale = `l.waited < now() - interval '${turnSeconds} seconds'`
const isItsTurn = `(l.waiting IS NULL OR l.waiting = excluded.holders[1] OR ${isStale})`
const isFree = `(${isHeld} OR (${isItsTurn} AND (l.holders <@ excluded.holders OR NOT (l.exclusive OR excluded.exclusive))))`
const isGranted = "(g.holders @> ARRAY[me.id] AND (g.exclusive OR NOT w.exclusive))"

/** Takes the leases that `source` selects, as `ino` and `exclusive`; none when the session is no longer this process's. */
const taking = (name: string, source: string): Statement => ({
  name,
  text: `WITH me AS (SELECT id FROM session WHERE id = $1::text::bigint AND incarnation = $2::text::bigint FOR KEY SHARE),
    want AS MATERIALIZED (${source}),
    got AS (
      INSERT INTO lease AS l (ino, holders, exclusive, knowers)
      SELECT w.ino, ARRAY[me.id], w.exclusive, ARRAY[me.id] FROM want AS w, me ORDER BY w.ino
      ON CONFLICT (ino) DO UPDATE SET
        holders = CASE WHEN ${isFree} AND NOT ${isHolder} THEN l.holders || excluded.holders ELSE l.holders END,
        exclusive = l.exclusive OR (${isFree} AND excluded.exclusive),
        knowers = CASE WHEN ${isFree} AND NOT l.knowers @> excluded.knowers THEN l.knowers || excluded.knowers ELSE l.knowers END,
        waiting = CASE WHEN ${isFree} THEN nullif(l.waiting, excluded.holders[1])
          WHEN ${isItsTurn} THEN excluded.holders[1] ELSE l.waiting END,
        waited = CASE WHEN NOT ${isFree} AND ${isItsTurn} THEN now() ELSE l.waited END
      RETURNING ino, holders, exclusive, knowers),
    told AS (
      SELECT pg_notify('bickford_' || 'session'::regclass::oid || '_' || holder,
        string_agg(g.ino || CASE WHEN w.exclusive THEN 'x' ELSE 's' END, ','))
      FROM got AS g JOIN want AS w ON w.ino = g.ino CROSS JOIN me, unnest(g.holders) AS holder
      WHERE holder <> me.id AND NOT ${isGranted} GROUP BY holder)
    SELECT g.ino, ${isGranted}, g.exclusive, array_to_string(array_remove(g.holders, me.id), ','), g.knowers <@ ARRAY[me.id],
      (SELECT count(*) FROM told)
    FROM got AS g JOIN want AS w ON w.ino = g.ino CROSS JOIN me`
})

const takeNumbers = taking(
  "takeNumbers",
  "SELECT DISTINCT ino, $4::text::boolean AS exclusive FROM unnest($3::text::bigint[]) AS number (ino)"
)
const takeName = taking(
  "takeName",
  `SELECT $3::text::bigint AS ino, false AS exclusive UNION SELECT ino, false FROM entry
    WHERE parent = $3::text::bigint AND cookie BETWEEN $4::text::bigint AND $5::text::bigint`
)
const takePage = taking(
  "takePage",
  `SELECT $3::text::bigint AS ino, false AS exclusive UNION SELECT ino, false FROM (
    SELECT ino FROM entry WHERE parent = $3::text::bigint AND cookie > $4::text::bigint ORDER BY cookie LIMIT ${pageSize}) AS page`
)
const isOurs =
  "EXISTS (SELECT FROM session WHERE id = $1::text::bigint AND incarnation = $2::text::bigint FOR KEY SHARE)"
const release: Statement = {
  name: "release",
  text: `UPDATE lease SET holders = array_remove(holders, $1::text::bigint), exclusive = false,
      knowers = CASE WHEN row.known = 1 THEN knowers ELSE array_remove(knowers, $1::text::bigint) END
    FROM (SELECT ino, known FROM unnest($3::text::bigint[], $4::text::bigint[]) AS given (ino, known)) AS row
    WHERE lease.ino = row.ino AND holders @> ARRAY[$1::text::bigint] AND ${isOurs}`
}
const downgrade: Statement = {
  name: "downgrade",
  text: `UPDATE lease SET exclusive = false
    WHERE ino = ANY ($3::text::bigint[]) AND holders = ARRAY[$1::text::bigint] AND ${isOurs}`
}
const forgotten: Statement = {
  name: "forgotten",
  text: `UPDATE lease SET knowers = array_remove(knowers, $1::text::bigint)
    WHERE ino = ANY ($3::text::bigint[]) AND NOT holders @> ARRAY[$1::text::bigint] AND ${isOurs}`
}
const unheldOrphans: Statement = {
  name: "unheldOrphans",
  text: `SELECT ino FROM inode WHERE nlink = 0
    AND NOT EXISTS (SELECT FROM lease WHERE lease.ino = inode.ino AND NOT knowers <@ ARRAY[$1::text::bigint]) LIMIT 64`
}
const dropSessions: Statement = {
  name: "dropSessions",
  text: `UPDATE lease SET exclusive = exclusive AND NOT holders && $1::text::bigint[],
      holders = ARRAY(SELECT one FROM unnest(holders) AS one WHERE one <> ALL ($1::text::bigint[])),
      knowers = ARRAY(SELECT one FROM unnest(knowers) AS one WHERE one <> ALL ($1::text::bigint[]))
    WHERE holders && $1::text::bigint[] OR knowers && $1::text::bigint[]`
}
const dropAllLeases: Statement = { name: "dropAllLeases", text: "DELETE FROM lease" }
const channel: Statement = { name: "leaseChannel", text: "SELECT 'session'::regclass::oid::text" }

const leaseOf = ([ino, granted, exclusive, holders, onlyOurs]: Row): TakenLease => ({
  ino: whole(ino),
  isGranted: granted === true,
  isExclusive: exclusive === true,
  holders: String(holders)
    .split(",")
    .filter((one) => one !== "")
    .map(Number),
  isOnlyOurs: onlyOurs === true
})

/** Sessions are gone: nobody holds anything by them. For use within the transaction that ends them. */
export const dropLeasesOf = async (run: RunStatement, sessions: ReadonlyArray<number>): Promise<void> =>
  void (await run(dropSessions, [arrayOf(sessions)]))

/** No session is alive. */
export const dropLeases = async (run: RunStatement): Promise<void> => void (await run(dropAllLeases, []))

/** Tells what became of the leases that a statement asked for. */
export const leasesOf = (rows: ReadonlyArray<Row>): ReadonlyArray<TakenLease> => rows.map(leaseOf)

/** The statements of one session. */
export const makeLeaseRows = ({ run }: Pick<Database, "run">, { id, incarnation }: Taker) => {
  const own = [String(id), String(incarnation)]
  return {
    session: id,
    byNumbers: (inos: ReadonlyArray<number>, exclusive: boolean): TakeRequest => ({
      statement: takeNumbers,
      parameters: [...own, arrayOf(inos), String(exclusive)]
    }),
    /** A directory, and what its entries between two cookies name. */
    byName: (parent: number, first: number, last: number): TakeRequest => ({
      statement: takeName,
      parameters: [...own, String(parent), String(first), String(last)]
    }),
    /** A directory, and what the entries of a page name. */
    byPage: (parent: number, after: number): TakeRequest => ({
      statement: takePage,
      parameters: [...own, String(parent), String(after)]
    }),
    /** Gives leases up; `isKnown`: this host's kernel may know the inode. */
    release: (leases: ReadonlyArray<{ readonly ino: number; readonly isKnown: boolean }>) =>
      run(release, [
        ...own,
        arrayOf(leases.map(({ ino }) => ino)),
        arrayOf(leases.map(({ isKnown }) => (isKnown ? 1 : 0)))
      ]),
    /** Makes leases to change ones to read. */
    downgrade: (inos: ReadonlyArray<number>) => run(downgrade, [...own, arrayOf(inos)]),
    /** This host's kernel knows inodes no longer, of which it has no lease. */
    forgotten: (inos: ReadonlyArray<number>) => run(forgotten, [...own, arrayOf(inos)]),
    /** Inodes without a name that no other host's kernel may know. */
    unheldOrphans: async (): Promise<ReadonlyArray<number>> =>
      (await run(unheldOrphans, [String(id)])).map(([ino]) => whole(ino)),
    /** Where this session is told which of its leases others want. */
    channel: async (): Promise<string> => `bickford_${String((await run(channel, []))[0]?.[0])}_${id}`
  }
}

export type LeaseRows = ReturnType<typeof makeLeaseRows>
