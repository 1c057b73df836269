/** Why a store cannot be opened, and what SQLite's errors mean for a call. */
import { Errno, type ErrnoError, errnoError } from "@bickford/session"
import * as Data from "effect/Data"
import * as Exit from "effect/Exit"

/** Another process has the store open; `pid` is undefined where the kernel does not tell. */
export class StoreBusyError extends Data.TaggedError("StoreBusyError")<{
  /** Who has it open, and what to do. */
  readonly message: string
  /** The store's. */
  readonly path: string
  readonly pid: number | undefined
}> {}

/** The file is no store, is damaged, or was made by a later version. The message says what to do. */
export class StoreUnusableError extends Data.TaggedError("StoreUnusableError")<{
  /** What is wrong with it, and what to do. */
  readonly message: string
  /** The store's. */
  readonly path: string
}> {}

/** Why a store cannot be opened. */
export type SqliteStoreError = StoreBusyError | StoreUnusableError

export const unusable = (path: string, message: string): StoreUnusableError =>
  new StoreUnusableError({ path, message: `${path}: ${message}` })

// sqlite3.h, "Result Codes".
export const SQLITE_BUSY = 5
export const SQLITE_READONLY = 8
export const SQLITE_IOERR = 10
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
export const SQLITE_CANTOPEN = 14
const SQLITE_NOTADB = 26
// "Extended Result Codes".
const SQLITE_IOERR_FSYNC = SQLITE_IOERR | (4 << 8)
const SQLITE_IOERR_DIR_FSYNC = SQLITE_IOERR | (5 << 8)

/** The disk failed the store, and what was committed may not be on it. The message names the store and the reason. */
export class StoreFailure extends Data.TaggedError("StoreFailure")<{
  readonly message: string
}> {}

/** The disk has no room for what a commit adds. */
export class StoreFull extends Data.TaggedError("StoreFull")<{
  readonly message: string
}> {}

/** An operation cannot go on, and its caller is to be told this errno. */
export class OperationFailure extends Data.TaggedError("OperationFailure")<{
  /** Positive. */
  readonly errno: number
  readonly message: string
}> {}

/** SQLite's primary result code of what it threw, if it was SQLite. */
export const resultCode = (error: unknown): number | undefined =>
  error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : undefined

/** Whether SQLite threw since an fsync failed. */
export const isFsyncFailure = (error: unknown): boolean =>
  error instanceof Error &&
  "errcode" in error &&
  (error.errcode === SQLITE_IOERR_FSYNC || error.errcode === SQLITE_IOERR_DIR_FSYNC)

/** Whether there was no room on the disk. */
export const isFull = (error: unknown): boolean => error instanceof StoreFull || resultCode(error) === SQLITE_FULL

export const isDamage = (error: unknown): boolean => {
  const code = resultCode(error)
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB
}

/**
 * A call's outcome when the store threw: ENOSPC for a full disk, EIO for a failure that was told when it came, the errno
 * that an operation was stopped with, else a defect, which is logged and answered EIO.
 */
export const failureOf = (error: unknown): Exit.Exit<never, ErrnoError> =>
  error instanceof OperationFailure
    ? Exit.fail(errnoError(error.errno))
    : isFull(error)
      ? Errno.ENOSPC
      : error instanceof StoreFailure
        ? Errno.EIO
        : Exit.die(error)
