/**
 * Copies the store of a branch that another process serves, as of one of its commits.
 *
 * The server has the store locked, but its files can be read. The store's file is copied first, then its write-ahead log.
 * A checkpoint that writes into the file meanwhile writes only what the log holds, and the log's copy has that, too: recovery
 * takes each page from the log, as far as the log's checksums are right, up to the last commit. That fails only where the
 * server has begun the log again at its start, which gives the log another salt: then all is copied once more.
 */
import * as Data from "effect/Data"
import { closeSync, fsyncSync, linkSync, openSync, readSync, rmSync } from "node:fs"
import { setTimeout as wait } from "node:timers/promises"
import type { DatabaseSync } from "node:sqlite"
import { prepareQuery } from "../sqlite/query.ts"
import { sqliteModule } from "../sqlite/open.ts"
import { copyBytes, syncDirectory, unfinished } from "./copies.ts"

/** Where the salt lies in the log's header (https://www.sqlite.org/fileformat2.html#walformat), and its bytes. */
const saltAt = 16
const saltBytes = 8

/** Attempts, and milliseconds between them: a server that writes all the time begins its log again each 20 ms at the most. */
const attempts = 100
const pause = 5

/** A branch that is served cannot be copied. */
class CopyFailure extends Data.TaggedError("CopyFailure")<{ readonly message: string }> {}

/** Names this use of a log; empty where there is none yet. */
const saltOf = (log: number): string => {
  const salt = Buffer.alloc(saltBytes)
  return readSync(log, salt, 0, saltBytes, saltAt) < saltBytes ? "" : salt.toString("hex")
}

/** Copies both files; false where the log was begun again meanwhile. */
const tryCopy = async (store: number, log: number, target: string): Promise<boolean> => {
  const made: Array<number> = []
  const make = (path: string): number => {
    const fd = openSync(path, "w", 0o600)
    made.push(fd)
    return fd
  }
  try {
    const salt = saltOf(log)
    await copyBytes(store, make(target))
    await copyBytes(log, make(`${target}-wal`))
    return saltOf(log) === salt
  } finally {
    for (const fd of made) closeSync(fd)
  }
}

const remove = (path: string): void => {
  for (const ending of ["", "-wal", "-shm"]) rmSync(path + ending, { force: true })
}

/** Opens a copy, with what its log holds in its file. */
const openCopy = (path: string): DatabaseSync => {
  const { DatabaseSync } = sqliteModule()
  const db = new DatabaseSync(path, { timeout: 0 })
  db.exec(
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA wal_checkpoint(TRUNCATE)"
  )
  return db
}

/** A copy of a store, open. */
export interface ServedCopy {
  readonly db: DatabaseSync
  /** Closes it, and removes it. */
  readonly discard: () => void
  /** Closes it, and gives it the name `target`. Throws an error with the code EEXIST where that is there. */
  readonly keepAs: (target: string) => void
}

/**
 * Copies the store at `path` into a file beside `target`. Another process serves it: of this one's own, a descriptor that is
 * closed here would drop the locks (fcntl(2)).
 */
export const copyServed = async (path: string, target: string): Promise<ServedCopy> => {
  const copy = unfinished(target)
  const opened: Array<number> = []
  try {
    for (const file of [path, `${path}-wal`]) opened.push(openSync(file, "r"))
    const [store = -1, log = -1] = opened
    for (let attempt = 1; !(await tryCopy(store, log, copy)); attempt++) {
      if (attempt === attempts)
        throw new CopyFailure({ message: "is changed faster than it can be copied; try again, or unmount it first" })
      await wait(pause)
    }
    const db = openCopy(copy)
    if (prepareQuery(db, "SELECT 1 FROM commitState").get() !== undefined) {
      db.close()
      throw new CopyFailure({ message: "is being committed; try again when that is done" })
    }
    return {
      db,
      discard: () => {
        db.close()
        remove(copy)
      },
      keepAs: (name) => {
        db.exec("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        try {
          const fd = openSync(copy, "r")
          fsyncSync(fd)
          closeSync(fd)
          linkSync(copy, name)
          syncDirectory(name)
        } finally {
          remove(copy)
        }
      }
    }
  } catch (error) {
    remove(copy)
    throw error
  } finally {
    for (const fd of opened) closeSync(fd)
  }
}
