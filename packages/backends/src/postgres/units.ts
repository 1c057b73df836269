/** A session's units of work: the one that gathers what is done now, and the one before it while it is on its way. */
import { Errno, type ErrnoError } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { makeUsage } from "../posix/usage.ts"
import type { Replies } from "../sqlite/replies.ts"
import { type Database, type DatabaseError, isFull } from "./database.ts"
import { patiently } from "./patience.ts"
import { type Session, unitsOf } from "./session.ts"
import { type StoringUnit, storingUnit, Unit } from "./unit.ts"

export type Failure = Exit.Exit<never, ErrnoError>

export interface UnitParts {
  readonly database: Database
  readonly answers: Replies
  readonly usage: ReturnType<typeof makeUsage>
  /** Seconds for which a server that is away is waited for. */
  readonly grace: number
  /** Everything that was changed is stored: what is in memory besides may be dropped. */
  readonly stored: () => void
  /** Nothing of what is in memory is known to be stored. */
  readonly dropAll: () => void
  /** The session is no longer this process's. */
  readonly fenced: () => void
  readonly log: (sentence: string) => void
}

/** What is done, and the requests whose answers are stored with it. */
class Work {
  readonly unit = new Unit()
  readonly recorded: Array<Parameters<Replies["record"]>[0]> = []
}

export const makeUnits = ({ answers, database, dropAll, fenced, grace, log, stored, usage }: UnitParts) => {
  let session: Session | undefined
  /** Units that have taken effect. */
  let units = 0
  let work = new Work()
  let sending: Work | undefined
  let lost: Failure | undefined

  const undo = ({ recorded, unit }: Work): void => {
    for (const back of unit.undo.reverse()) back()
    answers.delivered(recorded)
  }

  /** Nothing that was done since the last unit that was stored has happened. */
  const rollback = (): void => {
    undo(work)
    if (sending !== undefined) undo(sending)
    work = new Work()
    sending = undefined
    dropAll()
  }

  const fence = (): Failure => {
    if (lost !== undefined) return lost
    lost = Errno.EIO
    rollback()
    fenced()
    return lost
  }

  const failed = (error: DatabaseError): Failure => {
    log(`a change could not be stored, and those who wait for it are told so: ${error.message}`)
    rollback()
    return isFull(error) ? Errno.ENOSPC : Errno.EIO
  }

  /** Whether the unit took effect. It names its place among the session's units, so that it can be sent again. */
  const send = async (of: Session, { parameters, statement }: StoringUnit): Promise<boolean> => {
    const rows = await database.run(statement, parameters)
    return rows.length > 0 || (await unitsOf(database, of)) === units + 1
  }

  const storing = (of: Session, text: string | undefined): StoringUnit => {
    const { blocks, inodes } = usage.total
    return storingUnit(work.unit, {
      session: of.id,
      incarnation: of.incarnation,
      units,
      inodes: inodes - of.otherInodes,
      blocks: blocks - of.otherBlocks,
      answers: text,
      shares: of.shares
    })
  }

  return {
    unit: (): Unit => work.unit,
    /** Begins with a session. */
    begin: (claimed: Session): void => {
      session = claimed
      units = claimed.units
    },
    isSending: (): boolean => sending !== undefined,
    /** Why nothing can be changed or told any more. */
    lost: (): Failure | undefined => lost,
    fence,
    rollback,
    /** The answer of a request is stored with its changes. */
    record: (...[unique, value]: Parameters<Replies["record"]>): void => {
      answers.record(unique, value)
      work.recorded.push(unique)
    },
    /** Stores the unit at hand; one at a time. What is done meanwhile is the next one's. */
    store: Effect.suspend((): Effect.Effect<void, ErrnoError> => {
      if (lost !== undefined) return lost
      const text = answers.text()
      const of = session
      if (of === undefined || (work.unit.isEmpty && text === undefined)) return Exit.void
      const statement = storing(of, text)
      sending = work
      work = new Work()
      answers.committed()
      return patiently(() => send(of, statement), grace).pipe(
        Effect.matchEffect({
          onFailure: failed,
          onSuccess: (took): Effect.Effect<void, ErrnoError> => {
            if (!took) return fence()
            sending = undefined
            units++
            stored()
            return Exit.void
          }
        })
      )
    })
  }
}
