/**
 * The transaction that operations share until the next commit: whether a reply waits for it, whether it can still be
 * committed, and what is done when it cannot.
 */
import { Errno, type ErrnoError } from "@bickford/session"
import * as Exit from "effect/Exit"
import { failureOf } from "./errors.ts"
import type { StoredFilesystem } from "./filesystem.ts"

/** Milliseconds for which what no reply tells of may stay uncommitted. */
const patience = 100

export const makeCommits = (store: StoredFilesystem) => {
  /** Why the transaction cannot be committed: some of its requests may have been done in part. */
  let broken: Exit.Exit<never, ErrnoError> | undefined
  /** A reply is held until the commit. Times of reading and what was forgotten can wait for the next. */
  let owed = false
  let later: NodeJS.Timeout | undefined

  const rollback = (failure: Exit.Exit<never, ErrnoError>): void => {
    store.rollback()
    if (failure === Errno.ENOSPC) store.makeRoom()
  }

  const commit = (): Exit.Exit<void, ErrnoError> => {
    let failure = broken
    try {
      if (failure === undefined) store.commit()
    } catch (error) {
      failure = failureOf(error)
    }
    broken = undefined
    owed = false
    if (failure === undefined) return Exit.void
    rollback(failure)
    return failure
  }

  /** After a failed fsync: whether all that was committed is safe again. */
  const mended = (): boolean => {
    try {
      store.mend()
      return true
    } catch {
      store.rollback()
      return false
    }
  }

  const commitLater = (): void => {
    later = undefined
    // Requests that wait for a commit are told when it fails: theirs is under way.
    if (broken === undefined && !owed) commit()
  }

  return {
    /** Why nothing can be told of the store until the transaction is rolled back; undefined when something can. */
    broken: (): Exit.Exit<never, ErrnoError> | undefined => broken,
    /** The reply of the operation at hand is held until the commit. */
    owe: (): void => {
      owed = true
    },
    /** The failure for what an operation threw, which may have been done in part. */
    failed: (error: unknown): Exit.Exit<never, ErrnoError> => {
      const failure = failureOf(error)
      if (store.isDirty()) broken = failure
      return failure
    },
    /** Undoes what was done apart from any request; what requests had done goes with it, and they are run again. */
    undoPart: (error: unknown): Exit.Exit<never, ErrnoError> => {
      const failure = failureOf(error)
      rollback(failure)
      if (owed) broken = failure
      return failure
    },
    /** Before a change: whether all that was committed is safe, or is made so now. */
    isSafe: (): boolean => store.isSafe() || mended(),
    /** Commits what replies wait for; the rest a little later. */
    commit: (): Exit.Exit<void, ErrnoError> => {
      if (broken === undefined && !owed && !store.isSyncWanted()) {
        if (store.isDirty()) later ??= setTimeout(commitLater, patience).unref()
        return Exit.void
      }
      return commit()
    },
    close: (): void => {
      clearTimeout(later)
      // What can be lost is kept all the same, where it can be.
      commitLater()
    }
  }
}
