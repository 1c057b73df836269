/** Opens a store, or makes one: for this process alone. */
import { coveringPlace } from "@bickford/transport"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { randomInt } from "node:crypto"
import { closeSync, fsyncSync, openSync } from "node:fs"
import { dirname, resolve } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import { isDamage, resultCode, SQLITE_BUSY, type SqliteStoreError, unusable } from "./errors.ts"
import { lockHolder } from "./lockHolder.ts"
import { openLog, type WriteAheadLog } from "./log.ts"
import { prepareQuery } from "./query.ts"
import { applicationId, migrate, migrations } from "./schema.ts"

/** `node:sqlite`, when it is first needed: loading it warns that it is experimental. */
const sqliteModule = () => process.getBuiltinModule("node:sqlite")

const settings = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA trusted_schema = OFF;
  PRAGMA synchronous = NORMAL;
  PRAGMA cache_spill = OFF;
  PRAGMA cache_size = -32768;
  PRAGMA temp_store = MEMORY;
  PRAGMA journal_size_limit = 33554432;
  PRAGMA wal_autocheckpoint = 0;
`

const single = (db: DatabaseSync, pragma: string): unknown => prepareQuery(db, `PRAGMA ${pragma}`).get()?.[0]

/** A store just opened: whether it is one, and of a version that is known. */
const prepare = (db: DatabaseSync, path: string): SqliteStoreError | undefined => {
  db.exec(settings)
  const application = single(db, "application_id")
  const version = single(db, "user_version")
  if (application !== applicationId) {
    if (prepareQuery(db, "SELECT 1 FROM sqlite_schema LIMIT 1").get() !== undefined || application !== 0) {
      return unusable(path, "is an SQLite database, but not a Bickford store; name another file")
    }
    db.exec(`PRAGMA page_size = 4096; PRAGMA application_id = ${applicationId}`)
  }
  if (typeof version !== "number" || version > migrations.length) {
    return unusable(path, `was made by a later Bickford (store version ${String(version)}, this one knows ${migrations.length}); use that one`)
  }
  // Takes the lock, which is kept.
  db.exec("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; COMMIT")
  migrate(db, version, migrations)
  db.prepare("INSERT OR IGNORE INTO hashKey (id, a, b) VALUES (1, ?, ?)").run(randomInt(2 ** 32), randomInt(2 ** 32))
  return undefined
}

const explain = (path: string, error: unknown): SqliteStoreError => {
  if (resultCode(error) === SQLITE_BUSY) {
    const pid = lockHolder(path)
    const who = pid === undefined ? "another process" : pid === process.pid ? "this process" : `process ${pid}`
    return { _tag: "StoreBusyError", path, pid, message: `${path}: is in use by ${who}; a store serves one mount at a time` }
  }
  if (isDamage(error)) {
    return unusable(
      path,
      `is not a store, or is damaged (${error instanceof Error ? error.message : String(error)}); keep a copy of it and of ${path}-wal, then see what "bickford fsck" says, and restore a backup or use "sqlite3 ${path} .recover"`
    )
  }
  return unusable(path, error instanceof Error ? error.message : String(error))
}

/** A store's database, and its write-ahead log. */
export interface OpenStore {
  readonly db: DatabaseSync
  readonly path: string
  readonly log: WriteAheadLog
  readonly close: () => void
}

const syncFolder = (path: string): void => {
  const folder = openSync(dirname(path), "r")
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** Why a store at or below a mountpoint of this process cannot be opened: the mount hides it. */
const coveredStore = (mountpoint: string): string =>
  `lies at or below the mountpoint ${mountpoint}, where the mount hides it from its own server; keep the store elsewhere`

const openNow = (given: string, tell: (sentence: string) => void): OpenStore | SqliteStoreError => {
  const path = resolve(given)
  const place = coveringPlace(path)
  if (place !== undefined) return unusable(path, coveredStore(place.mountpoint))
  let db: DatabaseSync | undefined
  try {
    const { DatabaseSync } = sqliteModule()
    db = new DatabaseSync(path, { timeout: 0 })
    const refused = prepare(db, path)
    if (refused === undefined) {
      const log = openLog(db, path, tell)
      syncFolder(path)
      const opened = db
      return {
        db,
        path,
        log,
        close: () => {
          log.close()
          opened.close()
        }
      }
    }
    db.close()
    return refused
  } catch (error) {
    const explained = explain(path, error)
    if (db?.isOpen === true) db.close()
    return explained
  }
}

/** Opens the store at `path`, for as long as the scope lasts. Nobody else can open it meanwhile. */
export const openStore = (path: string): Effect.Effect<OpenStore, SqliteStoreError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.contextWith((context: Context.Context<never>) => {
      const run = Effect.runForkWith(context)
      const opened = openNow(path, (sentence) => void run(Effect.logWarning(sentence)))
      return "_tag" in opened ? Effect.fail(opened) : Effect.succeed(opened)
    }),
    ({ close }) => Effect.sync(close)
  )
