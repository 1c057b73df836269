/** Opens a store, or makes one: for this process alone. */
import { coveringPlace } from "@bickford/transport"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { randomInt } from "node:crypto"
import { accessSync, closeSync, constants, fsyncSync, lstatSync, openSync, type Stats, statSync } from "node:fs"
import { dirname, resolve } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import {
  isDamage,
  isFull,
  resultCode,
  SQLITE_BUSY,
  SQLITE_CANTOPEN,
  SQLITE_IOERR,
  SQLITE_READONLY,
  type SqliteStoreError,
  StoreBusyError,
  unusable
} from "./errors.ts"
import { lockHolder } from "./lockHolder.ts"
import { openLog, type WriteAheadLog } from "./log.ts"
import { prepareQuery } from "./query.ts"
import type { Reserve } from "./reserve.ts"
import { applicationId, migrate, migrations } from "./schema.ts"

/** `node:sqlite`, when it is first needed: loading it warns that it is experimental. */
export const sqliteModule = () => process.getBuiltinModule("node:sqlite")

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

/** The value of a pragma that has one. */
export const single = (db: DatabaseSync, pragma: string): unknown => prepareQuery(db, `PRAGMA ${pragma}`).get()?.[0]

/** What a store is for: one kind is not opened as another. */
export interface StoreKind {
  /** PRAGMA application_id. */
  readonly applicationId: number
  /** `a Bickford store`. */
  readonly name: string
}

/** A store that holds a whole filesystem. */
const wholeStore: StoreKind = { applicationId, name: "a Bickford store" }

/** A store just opened: whether it is one, and of a version that is known. */
const prepare = (db: DatabaseSync, path: string, kind: StoreKind): SqliteStoreError | undefined => {
  db.exec(settings)
  const application = single(db, "application_id")
  const version = single(db, "user_version")
  if (application !== kind.applicationId) {
    if (prepareQuery(db, "SELECT 1 FROM sqlite_schema LIMIT 1").get() !== undefined || application !== 0) {
      return unusable(path, `is an SQLite database, but not ${kind.name}; name another file`)
    }
    db.exec(`PRAGMA page_size = 4096; PRAGMA application_id = ${kind.applicationId}`)
  }
  if (typeof version !== "number" || version > migrations.length) {
    return unusable(
      path,
      `was made by a later Bickford (store version ${String(version)}, this one knows ${migrations.length}); use that one`
    )
  }
  // Takes the lock, which is kept.
  db.exec("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; COMMIT")
  migrate(db, version, migrations)
  db.prepare("INSERT OR IGNORE INTO hashKey (id, a, b) VALUES (1, ?, ?)").run(randomInt(2 ** 32), randomInt(2 ** 32))
  return undefined
}

/** Why a store is locked, and by whom: a server has it, or somebody who may read it holds a lock. */
export const busy = (path: string): SqliteStoreError => {
  const holder = lockHolder(path)
  const pid = holder?.pid
  const who = holder === undefined ? "another process" : pid === process.pid ? "this process" : holder.name
  const message =
    holder?.writes === false && pid !== process.pid
      ? `is locked by ${who}, which only reads it; end that process, and let nobody but the store's user read the store (chmod 600)`
      : `is in use by ${who}; a store serves one mount at a time`
  return new StoreBusyError({ path, pid, message: `${path}: ${message}` })
}

/** What an error that SQLite threw means for those who want the store. */
export const explain = (path: string, error: unknown): SqliteStoreError => {
  if (resultCode(error) === SQLITE_BUSY) return busy(path)
  if (isDamage(error)) {
    return unusable(
      path,
      `is not a store, or is damaged (${error instanceof Error ? error.message : String(error)}); keep a copy of it and of ${path}-wal, then see what "bickford fsck" says, and restore a backup or use "sqlite3 ${path} .recover"`
    )
  }
  const code = resultCode(error)
  if (code === SQLITE_READONLY || code === SQLITE_IOERR || code === SQLITE_CANTOPEN) {
    const refused = notWritable(path)
    if (refused !== undefined) return unusable(path, refused)
  }
  if (isFull(error))
    return unusable(path, "cannot be opened: the disk is full, and it needs to be brought up to date; make room first")
  return unusable(path, error instanceof Error ? error.message : String(error))
}

/** Why a store that is there cannot be written, if so. */
const notWritable = (path: string): string | undefined => {
  for (const [place, what] of [
    [path, "the file"],
    [dirname(path), "its directory"]
  ] as const) {
    try {
      accessSync(place, constants.W_OK)
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined
      if (code === "EROFS")
        return "lies on a read-only filesystem; a store that is served is written to. Copy it elsewhere"
      if (code === "EACCES")
        return `${what} may not be written by user ${process.getuid?.() ?? "?"}; a store that is served is written to, and has its log beside it`
    }
  }
  return undefined
}

/** A store's database, and its write-ahead log. */
export interface OpenStore {
  readonly db: DatabaseSync
  readonly path: string
  readonly log: WriteAheadLog
  readonly reserve: Reserve
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

/** Permission bits that let others than the owner at a file. */
const othersBits = 0o077

/** Makes the file of a new store, for its user alone: SQLite gives the files beside it the same permissions. */
const makePrivate = (path: string): void => {
  try {
    closeSync(openSync(path, "wx", 0o600))
  } catch (error) {
    // What else is wrong with the path SQLite says when it opens it.
    if (!(error instanceof Error)) throw error
  }
}

const kindOf = (found: Stats): string => `is ${found.isDirectory() ? "a directory" : "a device, pipe or socket"}`

/** What is wrong with something that is no regular file. */
export const notRegularFile = (found: Stats): string => `${kindOf(found)}; a store is a regular file`

/**
 * What is wrong with a file that SQLite keeps beside a store. Anybody can guess its name, and in a directory that
 * others may write can make it before SQLite does; what a log of theirs holds would become the store's.
 */
const wrongBeside = (file: string, owner: number | undefined): string | undefined => {
  const found = lstatSync(file, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  if (found.isSymbolicLink()) return `${file} is a symbolic link, and another file would be written to; remove the link`
  if (!found.isFile()) return `${file} ${kindOf(found)}, where SQLite keeps a file of its own; remove it`
  if ([0, process.geteuid?.(), owner].includes(found.uid)) return undefined
  return `${file} belongs to user ${found.uid}, who does not own the store, and would become part of it; remove it, and keep the store where others cannot write`
}

/** Why what is at a path can be no store, if so; looked at without opening it, which may block or drop locks. */
const refusedFile = (path: string, tell: (sentence: string) => void): SqliteStoreError | undefined => {
  const found = statSync(path, { throwIfNoEntry: false })
  for (const ending of ["-wal", "-shm", "-journal"]) {
    const wrong = wrongBeside(path + ending, found?.uid)
    if (wrong !== undefined) return unusable(path, wrong)
  }
  if (found === undefined) {
    makePrivate(path)
    return undefined
  }
  if (!found.isFile()) return unusable(path, notRegularFile(found))
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0
    if ((mode & othersBits) === 0) continue
    tell(
      `${file}: others may open it (mode ${(mode & 0o777).toString(8)}): they may read every file in the store, and hold its lock; chmod 600 ${file}`
    )
  }
  return undefined
}

const openNow = (given: string, kind: StoreKind, tell: (sentence: string) => void): OpenStore | SqliteStoreError => {
  const path = resolve(given)
  const place = coveringPlace(path)
  if (place !== undefined) return unusable(path, coveredStore(place.mountpoint))
  let db: DatabaseSync | undefined
  try {
    const { DatabaseSync } = sqliteModule()
    const refusedAs = refusedFile(path, tell)
    if (refusedAs !== undefined) return refusedAs
    db = new DatabaseSync(path, { timeout: 0 })
    const refused = prepare(db, path, kind)
    if (refused === undefined) {
      const { log, reserve } = openLog(db, path, tell)
      syncFolder(path)
      const opened = db
      return {
        db,
        path,
        log,
        reserve,
        close: () => {
          log.close()
          reserve.leave()
          opened.close()
          reserve.close()
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
export const openStore = (
  path: string,
  kind: StoreKind = wholeStore
): Effect.Effect<OpenStore, SqliteStoreError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.contextWith((context: Context.Context<never>) => {
      const run = Effect.runForkWith(context)
      const opened = openNow(path, kind, (sentence) => void run(Effect.logWarning(sentence)))
      return "_tag" in opened ? Effect.fail(opened) : Effect.succeed(opened)
    }),
    ({ close }) => Effect.sync(close)
  )
