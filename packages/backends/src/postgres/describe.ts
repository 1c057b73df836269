/** What is known of a store without mounting it: who serves it, what is in it, what it takes. */
import type * as Effect from "effect/Effect"
import { type Database, whole } from "./database.ts"
import type { PostgresStoreError } from "./errors.ts"
import { inspectStore } from "./inspect.ts"
import { migrations } from "./schema.ts"
import { deadAfterSeconds, type Holder, holderOf } from "./session.ts"

/** A mount that serves the store, or did until it died. */
export interface PostgresSession {
  readonly host: string
  readonly pid: number | undefined
  /** Seconds since it was last seen. */
  readonly seenAgo: number
  /** Seconds since it began. */
  readonly startedAgo: number
  /** It shows no sign of life any more; the next mount ends it. */
  readonly isDead: boolean
}

/** What is known of a store. */
export interface PostgresInfo {
  /** Its URL, without a password. */
  readonly url: string
  readonly schema: string
  readonly storeVersion: number
  readonly serverVersion: string
  /** As the store counts them. */
  readonly inodes: number
  /** Bytes of file data, in whole blocks of 4096, as the store counts them. */
  readonly bytes: number
  /** Bytes that its tables and indexes take on the server's disk. */
  readonly storedBytes: number
  /** Contents that are gone, and whose rows are still to be removed. */
  readonly deadContents: number
  readonly sessions: ReadonlyArray<PostgresSession>
}

const totals = {
  name: "describe",
  text: `SELECT current_setting('server_version'), current_schema,
    (SELECT store.inodes + coalesce((SELECT sum(inodes) FROM session), 0) FROM store),
    (SELECT (store.blocks + coalesce((SELECT sum(blocks) FROM session), 0)) * 4096 FROM store),
    (SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class AS c
      WHERE c.relnamespace = current_schema::regnamespace AND c.relkind = 'r'),
    (SELECT count(*) FROM dead)`
}
const sessions = {
  name: "describeSessions",
  text: `SELECT holder, extract(epoch FROM clock_timestamp() - seen)::double precision,
    extract(epoch FROM clock_timestamp() - started)::double precision FROM session ORDER BY id`
}

const describe = async (database: Database, url: string): Promise<PostgresInfo> => {
  const [[serverVersion, schema, inodes, bytes, storedBytes, deadContents] = []] = await database.run(totals, [])
  const found = (await database.run(sessions, [])).map(([text, seen, started]): PostgresSession => {
    const holder: Holder | undefined = holderOf(text)
    const seenAgo = Number(seen)
    return {
      host: holder?.host ?? "unknown",
      pid: holder?.pid,
      seenAgo,
      startedAgo: Number(started),
      isDead: seenAgo >= deadAfterSeconds
    }
  })
  return {
    url,
    schema: String(schema),
    storeVersion: migrations.length,
    serverVersion: String(serverVersion),
    inodes: whole(inodes),
    bytes: whole(bytes),
    storedBytes: whole(storedBytes),
    deadContents: whole(deadContents),
    sessions: found
  }
}

/** Describes the store that a URL names, which may be mounted meanwhile. Only reads, and takes no time by its size. */
export const describePostgres = (url: string): Effect.Effect<PostgresInfo, PostgresStoreError> =>
  inspectStore(url, (database, address) => describe(database, address.shown))
