/**
 * Requests that are owed a reply for longer than the call of their operation: they wait for their turn, run in a
 * fiber, or are held for a commit. Each is in the connection's in-flight table, which outlives this: the next
 * dispatcher runs again what has no fiber.
 */
import type { Request, U64 } from "@bickford/protocol"
import type { OpcodeRow } from "@bickford/protocol/codec"
import { patientSleep } from "@bickford/supervisor"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { AsyncBackend } from "../Backend.ts"
import type { Connection } from "../connection/Connection.ts"
import type { InFlight } from "../connection/InFlightTable.ts"
import type { Answers } from "./answers.ts"
import { type Calls, isExit, type Outcome } from "./calls.ts"
import { dropNames } from "./dropNames.ts"
import type { Deadline } from "./deadline.ts"
import { type GroupCommit, type GroupCommitDependencies, makeGroupCommit } from "./groupCommit.ts"
import type { Guard } from "./guard.ts"
import { waitingOperations } from "./interruptible.ts"
import { type Interruptions, makeInterruptions } from "./interruptions.ts"
import { type Limits, makeAdmission } from "./limits.ts"

export interface Pending {
  /** Replies wait for a commit, even those that are there at once. */
  readonly commits: boolean
  /** Whether a request may begin now. */
  readonly admits: (request: Request) => boolean
  /** Keeps a request that may not begin yet. */
  readonly wait: (entry: InFlight) => void
  /** Takes a request that has begun. */
  readonly add: (entry: InFlight, outcome: Outcome) => void
  readonly interrupt: Interruptions["interrupt"]
  /** Something was changed that no reply tells of. */
  readonly touch: () => void
  /** Commits and replies. Returns whether replies were written; undefined where nothing is held. */
  readonly flush: () => boolean | undefined
  /** Between `startBatch` and `endBatch` replies are held for one commit, which `endBatch` makes. */
  readonly startBatch: () => void
  readonly endBatch: () => boolean | undefined
  readonly close: () => void
}

export interface PendingDependencies {
  readonly connection: Connection
  readonly backend: AsyncBackend
  readonly context: Context.Context<never>
  readonly guard: Guard
  readonly calls: Calls
  readonly answers: Answers
  readonly deadline: (row: OpcodeRow) => Deadline | undefined
  readonly limits: Limits
  /** Runs the operation of a request that waited, or that an earlier dispatcher had begun. */
  readonly again: (entry: InFlight) => Outcome
}

/** The commits of a durable backend; undefined for others. */
const groupCommitOf = (
  backend: AsyncBackend,
  guard: Guard,
  using: Omit<GroupCommitDependencies, "commit" | "delivered">
): GroupCommit | undefined => {
  if (backend.durable !== true || backend.commit === undefined) return undefined
  const delivered =
    backend.delivered === undefined
      ? undefined
      : (uniques: ReadonlyArray<U64>) => guard("delivered", () => backend.delivered?.(uniques))
  return makeGroupCommit({ ...using, commit: backend.commit, delivered })
}

/** What a durable backend was stopped in: its next instance runs it again, and answers it then. */
const isLeftToTheNext = (entry: InFlight, exit: Exit.Exit<unknown, unknown>, { durable }: AsyncBackend): boolean =>
  entry.stopped === "restart" && durable === true && Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)

export const makePending = (using: PendingDependencies): Pending => {
  const { again, answers, backend, calls, connection, deadline, guard } = using
  const { inFlight, transport } = connection
  const run = Effect.runForkWith(using.context)
  let inBatch = false

  const expireAfter = (entry: InFlight, { after, errno }: Deadline) =>
    run(
      Effect.andThen(
        patientSleep(after),
        Effect.sync(() => answers.expire(entry, errno))
      )
    )

  const ended = (entry: InFlight, exit: Exit.Exit<unknown, unknown>): void => {
    admission.leave(entry)
    if (isLeftToTheNext(entry, exit, backend)) {
      entry.fiber = undefined
      return
    }
    if (!entry.answered) finish(entry, exit)
    else {
      if (Exit.isSuccess(exit)) calls.withdraw(entry.request, exit.value)
      dropNames(connection.notifier, entry.request)
      inFlight.delete(entry)
    }
  }

  const watch = (entry: InFlight, fiber: Fiber.Fiber<unknown, unknown>): void => {
    entry.fiber = fiber
    const limit = deadline(entry.row)
    const timer = limit === undefined ? undefined : expireAfter(entry, limit)
    fiber.addObserver((exit) => {
      timer?.interruptUnsafe()
      ended(entry, exit)
    })
    if (entry.row.op === "read") interruptions.watchCallers()
  }

  /** The operation has its outcome: replied now, or once it is committed. */
  const finish = (entry: InFlight, exit: Exit.Exit<unknown, unknown>): void => {
    if (group === undefined) {
      answers.answer(entry, exit)
      return
    }
    entry.fiber = undefined
    group.hold(entry, exit)
    // Within a batch of frames its end commits; unless there is no slot left to read the next one into.
    if (!inBatch || transport.freeSlots() === 0) group.flush()
  }

  const proceed = (entry: InFlight, outcome: Outcome): void => {
    if (isExit(outcome)) finish(entry, outcome)
    else {
      admission.enter(entry)
      watch(entry, outcome)
    }
  }

  const rerun = (entry: InFlight): void => proceed(entry, again(entry))
  const admission = makeAdmission(using.limits, waitingOperations(backend), rerun)
  const interruptions = makeInterruptions(inFlight, backend, guard, answers, admission.withdraw)
  const group = groupCommitOf(backend, guard, { run, again, suspended: watch, answer: answers.answer })

  for (const entry of inFlight.values()) if (entry.fiber === undefined) rerun(entry)

  return {
    commits: group !== undefined,
    admits: admission.admits,
    wait: (entry) => {
      inFlight.add(entry)
      admission.enqueue(entry)
    },
    add: (entry, outcome) => {
      inFlight.add(entry)
      proceed(entry, outcome)
    },
    interrupt: interruptions.interrupt,
    touch: () => group?.touch(),
    flush: () => group?.flush(),
    startBatch: () => {
      inBatch = true
    },
    endBatch: () => {
      inBatch = false
      return group?.flush()
    },
    close: () => {
      interruptions.close()
      group?.close()
    }
  }
}
