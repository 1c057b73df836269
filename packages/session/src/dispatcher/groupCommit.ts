/**
 * Replies of a durable backend wait here until what they tell of is permanent.
 *
 * Requests that are ready together share one commit, and no reply of theirs, reads included, leaves
 * before it. When a commit fails its requests are run again, one by one, so that only those whose own
 * commit fails get the error. What waits stays in the in-flight table, with no fiber: should the
 * dispatcher end before the commit, its successor runs it again.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { InFlight } from "../connection/InFlightTable.ts"
import type { U64 } from "@bickford/protocol"

type Outcome = Exit.Exit<unknown, unknown>

export interface GroupCommit {
  /** Keeps the reply to `entry` until the next commit. */
  readonly hold: (entry: InFlight, exit: Outcome) => void
  /** Something was changed that no reply tells of. */
  readonly touch: () => void
  /** Commits and replies, now or as soon as the commit under way has ended. Whether replies were written. */
  readonly flush: () => boolean
  /** Commits what can be committed at once; nothing is written after this. */
  readonly close: () => void
}

export interface GroupCommitDependencies {
  readonly commit: Effect.Effect<void, unknown>
  readonly run: (effect: Effect.Effect<unknown, unknown>) => Fiber.Fiber<unknown, unknown>
  /** Runs an entry's operation again. */
  readonly again: (entry: InFlight) => Outcome | Fiber.Fiber<unknown, unknown>
  /** An entry has a fiber again, and is not held any more. */
  readonly suspended: (entry: InFlight, fiber: Fiber.Fiber<unknown, unknown>) => void
  /** Writes the reply. */
  readonly answer: (entry: InFlight, exit: Outcome) => void
  readonly delivered: ((uniques: ReadonlyArray<U64>) => void) | undefined
}

interface Held {
  readonly entry: InFlight
  readonly exit: Outcome
}

export const makeGroupCommit = (using: GroupCommitDependencies): GroupCommit => {
  let held: Array<Held> = []
  let touched = false
  /** Entries of a commit that failed, still to be run again. */
  const retries: Array<InFlight> = []
  let committing = false
  let closed = false

  const deliver = (batch: ReadonlyArray<Held>): void => {
    for (const { entry, exit } of batch) using.answer(entry, exit)
    if (using.delivered !== undefined && batch.length > 0) using.delivered(batch.map(({ entry }) => entry.unique))
  }

  const settle = (batch: ReadonlyArray<Held>, exit: Outcome): void => {
    if (closed) return
    if (Exit.isSuccess(exit)) {
      deliver(batch)
      return
    }
    const [only, ...others] = batch
    if (only === undefined) return
    if (others.length > 0) {
      for (const { entry } of batch) retries.push(entry)
      return
    }
    // An error of the request's own says more than the commit's.
    using.answer(only.entry, Exit.isFailure(only.exit) ? only.exit : exit)
  }

  const commit = (): Outcome | Fiber.Fiber<unknown, unknown> => {
    const fiber = using.run(using.commit)
    return fiber.pollUnsafe() ?? fiber
  }

  /** What to commit next: one entry that is run again, or everything that is held. */
  const next = (): ReadonlyArray<Held> | undefined => {
    for (;;) {
      const entry = retries.shift()
      if (entry === undefined) break
      const outcome = using.again(entry)
      if (Exit.isExit(outcome)) return [{ entry, exit: outcome }]
      using.suspended(entry, outcome)
    }
    if (held.length === 0 && !touched) return undefined
    const batch = held
    held = []
    touched = false
    return batch
  }

  const flush = (): boolean => {
    let replied = false
    while (!committing && !closed) {
      const batch = next()
      if (batch === undefined) break
      const outcome = commit()
      if (Exit.isExit(outcome)) {
        settle(batch, outcome)
        replied = true
      } else {
        committing = true
        outcome.addObserver((exit) => {
          committing = false
          settle(batch, exit)
          flush()
        })
      }
    }
    return replied
  }

  return {
    hold: (entry, exit) => {
      held.push({ entry, exit })
    },
    touch: () => {
      touched = true
    },
    flush,
    close: () => {
      if (!committing && held.length > 0) {
        const outcome = commit()
        // A defect, as of a store that is closed: the next instance runs them again.
        if (Exit.isExit(outcome) && (Exit.isSuccess(outcome) || !Cause.hasDies(outcome.cause))) settle(held, outcome)
      }
      closed = true
    }
  }
}
