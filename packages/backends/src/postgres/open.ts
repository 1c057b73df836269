/** Opens a store, or makes one: its tables are there afterwards, and of the version that is known here. */
import { randomInt } from "node:crypto"
import type { HashKey } from "../sqlite/names.ts"
import { type Database, type RunStatement, type Statement, whole } from "./database.ts"
import { type PostgresStoreError, unusable } from "./errors.ts"
import { migrations } from "./schema.ts"
import { deadAfterSeconds } from "./session.ts"

/** The oldest server version whose behaviour is known to be as is needed here. */
const serverVersionMin = 150000

const lockMaking: Statement = {
  name: "lockMaking",
  text: "SELECT pg_advisory_xact_lock(1114204011, hashtext($1::text))"
}
const serverState: Statement = {
  name: "serverState",
  text: "SELECT current_setting('server_version_num')::integer, pg_is_in_recovery(), current_schema, current_setting('server_version')"
}
const hasSchema: Statement = { name: "hasSchema", text: "SELECT 1 FROM pg_namespace WHERE nspname = $1::text" }
const hasStore: Statement = {
  name: "hasStore",
  text: "SELECT to_regclass('store') IS NOT NULL, to_regclass('inode') IS NOT NULL"
}
const storeVersion: Statement = { name: "storeVersion", text: "SELECT version FROM store" }
const liveSessions: Statement = {
  name: "liveSessions",
  text: `SELECT count(*) FROM session WHERE seen > clock_timestamp() - interval '${deadAfterSeconds} seconds'`
}
const setVersion: Statement = { name: "setVersion", text: "UPDATE store SET version = $1::text::integer" }
const makeStore: Statement = {
  name: "makeStore",
  text: `INSERT INTO store (version, hash_a, hash_b, inodes, blocks)
    VALUES ($1::text::integer, $2::text::bigint, $3::text::bigint, 0, 0)`
}
const hashKey: Statement = { name: "hashKey", text: "SELECT hash_a, hash_b FROM store" }

/** Why the server cannot have a store that is served, if so. */
const refusedServer = async (run: RunStatement): Promise<PostgresStoreError | undefined> => {
  const [[version, isStandby, , shown] = []] = await run(serverState, [])
  if (whole(version) < serverVersionMin)
    return unusable(`the server is PostgreSQL ${String(shown)}; a store needs ${serverVersionMin / 10000} or later`)
  if (isStandby === true || isStandby === "t")
    return unusable("the server is a standby, which cannot be written; name the primary")
  return undefined
}

const make = async (run: RunStatement, script: (sql: string) => Promise<void>): Promise<void> => {
  for (const step of migrations) await script(step)
  await run(makeStore, [String(migrations.length), String(randomInt(2 ** 32)), String(randomInt(2 ** 32))])
}

const migrate = async (
  run: RunStatement,
  script: (sql: string) => Promise<void>,
  version: number
): Promise<PostgresStoreError | undefined> => {
  if (version > migrations.length)
    return unusable(
      `the store was made by a later Bickford (store version ${version}, this one knows ${migrations.length}); use that one`
    )
  if (version === migrations.length) return undefined
  const [[sessions] = []] = await run(liveSessions, [])
  if (whole(sessions) > 0)
    return unusable(
      `the store is of version ${version} and is being served; unmount it, and it becomes one of version ${migrations.length} when it is mounted next`
    )
  for (const step of migrations.slice(version)) await script(step)
  await run(setVersion, [String(migrations.length)])
  return undefined
}

/** Makes a store's tables, or brings them to the version that is known here; or says why there can be none. */
export const prepareStore = (database: Database, schema: string): Promise<PostgresStoreError | undefined> =>
  database.transaction(async (run, script) => {
    const refused = await refusedServer(run)
    if (refused !== undefined) return refused
    await run(lockMaking, [schema])
    if ((await run(hasSchema, [schema])).length === 0) await script(`CREATE SCHEMA "${schema}"`)
    const [[isStore, hasInodes] = []] = await run(hasStore, [])
    if (isTrue(isStore)) {
      const [[version] = []] = await run(storeVersion, [])
      return migrate(run, script, whole(version))
    }
    if (isTrue(hasInodes))
      return unusable(`the schema ${schema} has tables that are not Bickford's; name another one with ?schema=NAME`)
    await make(run, script)
    return undefined
  })

const isTrue = (value: unknown): boolean => value === true || value === "t"

/** The version of the store that is there, for those who only read; undefined when there is none. */
export const versionOf = async (database: Database): Promise<number | undefined> => {
  const [[isStore] = []] = await database.run(hasStore, [])
  if (!isTrue(isStore)) return undefined
  const [[version] = []] = await database.run(storeVersion, [])
  return whole(version)
}

/** The key by which names are placed in their directories. */
export const readHashKey = async (database: Database): Promise<HashKey> => {
  const [[a, b] = []] = await database.run(hashKey, [])
  return { a: whole(a), b: whole(b) }
}
