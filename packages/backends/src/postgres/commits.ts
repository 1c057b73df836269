/**
 * When units of work are stored: before those who wait for them are answered. While one is on its way, the next gathers
 * what is done meanwhile.
 */
import { Errno, type ErrnoError } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Semaphore from "effect/Semaphore"
import { type Failure, makeUnits, type UnitParts } from "./units.ts"

/** Milliseconds for which what no reply tells of may stay in memory. */
const patience = 100

export const makeCommits = (parts: UnitParts) => {
  const oneAtATime = Semaphore.makeUnsafe(1)
  let owed = false
  /** An operation has looked at what is in memory since the last commit, and its reply may be held. */
  let looked = false
  /** Why those who wait for the next commit have to be told that it failed. */
  let broken: Failure | undefined
  let later: NodeJS.Timeout | undefined
  const units = makeUnits({
    ...parts,
    dropAll: () => {
      // What was done and told since builds on what did not happen.
      if (looked) broken ??= Errno.EIO
      parts.dropAll()
    }
  })

  const commit = Effect.suspend((): Effect.Effect<void, ErrnoError> => {
    owed = false
    looked = false
    const failure = broken
    broken = undefined
    if (failure === undefined) return units.store
    units.rollback()
    return failure
  })

  const commitLater = (): void => {
    later = undefined
    // Requests that wait for a commit are told when it fails: theirs is under way.
    if (broken === undefined && !owed) Effect.runFork(Effect.ignore(oneAtATime.withPermit(units.store)))
  }

  return {
    ...units,
    /** An operation begins. */
    look: (): void => {
      looked = true
    },
    /** The reply of the operation at hand is held until the commit. */
    owe: (): void => {
      owed = true
    },
    /** An operation was done in part, and cannot be undone alone: all that was done since the last unit is. */
    breakUnit: (): void => {
      broken ??= Errno.EIO
    },
    /** Stores what replies wait for; the rest a little later. */
    commit: Effect.suspend((): Effect.Effect<void, ErrnoError> => {
      if (owed || broken !== undefined) return oneAtATime.withPermit(commit)
      looked = false
      if (units.lost() === undefined && !units.unit().isEmpty) later ??= setTimeout(commitLater, patience).unref()
      return Exit.void
    }),
    /** Why those who wait for the next commit will be told that it failed; undefined when they will not. */
    broken: (): Failure | undefined => broken,
    /** Stores what was done so far. */
    storeNow: Effect.suspend(() => oneAtATime.withPermit(units.store)),
    /** Stores what is left. */
    close: Effect.suspend(() => {
      clearTimeout(later)
      return Effect.ignore(oneAtATime.withPermit(units.store))
    })
  }
}

export type Commits = ReturnType<typeof makeCommits>
