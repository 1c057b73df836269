/** Opens a store for reading alone: nothing is changed, made or removed, beside it either, and it may lie where nothing can be written. */
import * as Effect from "effect/Effect"
import { statSync } from "node:fs"
import { resolve } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import { pathToFileURL } from "node:url"
import { resultCode, SQLITE_BUSY, type SqliteStoreError, unusable } from "./errors.ts"
import { busy, explain, notRegularFile, single, sqliteModule } from "./open.ts"
import { prepareQuery } from "./query.ts"
import { applicationId, migrations } from "./schema.ts"

const opened = (path: string, parameters: string): DatabaseSync => {
  const { DatabaseSync } = sqliteModule()
  return new DatabaseSync(`${pathToFileURL(path).href}?mode=ro&${parameters}`, { readOnly: true, timeout: 0 })
}

/** Whether somebody has the store locked. A reader's lock is taken for it, and nothing is made for the log. */
const isLocked = (path: string): boolean => {
  const db = opened(path, "readonly_shm=1")
  try {
    prepareQuery(db, "SELECT 1 FROM sqlite_schema LIMIT 1").get()
  } catch (error) {
    return resultCode(error) === SQLITE_BUSY
  } finally {
    db.close()
  }
  return false
}

/** Why what was opened is no store that this version can read, if so. */
const foreign = (db: DatabaseSync, path: string): SqliteStoreError | undefined => {
  if (single(db, "application_id") !== applicationId)
    return unusable(path, "is an SQLite database, but not a Bickford store")
  const version = single(db, "user_version")
  if (version === migrations.length) return undefined
  return typeof version === "number" && version < migrations.length
    ? unusable(
        path,
        `is of store version ${version}; mount it once with this Bickford, which brings it to version ${migrations.length}, or check it with the Bickford that made it`
      )
    : unusable(
        path,
        `was made by a later Bickford (store version ${String(version)}, this one knows ${migrations.length}); use that one`
      )
}

const readNow = <A>(
  path: string,
  body: (db: DatabaseSync, path: string) => A
): { readonly value: A } | SqliteStoreError => {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return unusable(path, "is not there")
  if (!found.isFile()) return unusable(path, notRegularFile(found))
  if (found.size === 0) return unusable(path, "is empty: not a store, and left as it is")
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })
  let db: DatabaseSync | undefined
  try {
    // The server of a store has its log open.
    if (log !== undefined && isLocked(path)) return busy(path)
    // With locks of its own SQLite would take part in the log, and empty it in the end; without a log, it would make one.
    db = opened(path, log === undefined || log.size === 0 ? "immutable=1" : "vfs=unix-none")
    db.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY"
    )
    return foreign(db, path) ?? { value: body(db, path) }
  } catch (error) {
    return explain(path, error)
  } finally {
    db?.close()
  }
}

/** Calls `body` with the database of the store at a path, which nobody may be serving. */
export const readStore = <A>(
  given: string,
  body: (db: DatabaseSync, path: string) => A
): Effect.Effect<A, SqliteStoreError> =>
  Effect.suspend(() => {
    const read = readNow(resolve(given), body)
    return "value" in read ? Effect.succeed(read.value) : Effect.fail(read)
  })
