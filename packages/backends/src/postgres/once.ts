/**
 * How operations run: on what is in memory, at once; what they miss is loaded, and they run again from their beginning.
 * What a change was answered is stored with it, and a request that was served before is answered from that record.
 */
import type { AnswerOf, ReplyOf, Timespec } from "@bickford/protocol"
import { Errno, type ErrnoError, type Operation, type RequestContext } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { pause } from "../posix/slices.ts"
import type { Recorded } from "../sqlite/once.ts"
import type { Replies } from "../sqlite/replies.ts"
import type { Commits } from "./commits.ts"
import type { Journal } from "./journal.ts"
import type { LeaseRules } from "./leases.ts"
import type { Loader } from "./loader.ts"
import { type Missing, RowFault } from "./rowFault.ts"
import type { Times } from "./times.ts"

/** So many times an operation may miss something, each time something else: the largest ones need some tens. */
const faultsMax = 10_000

type AnyRequest = { readonly op: keyof ReplyOf }
type Outcome<A> = Effect.Effect<A, ErrnoError>

/** What an operation will ask for, each asked for by itself: what is missing of it is loaded at the same time. */
export type Probes<Req> = (request: Req) => ReadonlyArray<() => unknown>

interface RunnerParts {
  readonly commits: Commits
  readonly journal: Journal
  readonly answers: Replies
  readonly load: Loader
  readonly times: Times
  readonly leases: LeaseRules
  readonly log: (sentence: string) => void
}

/** Whether an operation has succeeded at once. */
export const isSuccess = <A, E>(effect: Effect.Effect<A, E>): effect is Exit.Success<A, E> =>
  Exit.isExit(effect) && Exit.isSuccess(effect)

/** Whether rows are missing, which probes tell of, and not leases. */
const isOfRows = ({ missing: { kind } }: RowFault): boolean => kind !== "change" && kind !== "trust"

const missingOf = (probe: () => unknown): Missing | undefined => {
  try {
    probe()
  } catch (error) {
    if (error instanceof RowFault) return error.missing
  }
  return undefined
}

/** A fault that asks for all leases that the operation was found to need. */
const withAll = (fault: RowFault, changes: Set<number>): RowFault => {
  if (fault.missing.kind !== "change") return fault
  for (const ino of fault.missing.inos) changes.add(ino)
  return new RowFault({ kind: "change", inos: [...changes] })
}

/** Makes what runs an operation once, on what is in memory: undone unless it succeeds. */
const makeAttempt =
  ({ commits, journal, leases, times }: Pick<RunnerParts, "commits" | "journal" | "leases" | "times">) =>
  <A>(
    body: () => Outcome<A>,
    read: Array<Timespec>,
    succeeded: (value: A) => void = () => {}
  ): Outcome<A> | RowFault => {
    commits.look()
    const lost = commits.lost()
    if (lost !== undefined) return lost
    if (!leases.isTrusted()) return new RowFault({ kind: "trust" })
    journal.begin()
    times.again(read)
    try {
      const exit = body()
      if (isSuccess(exit)) {
        const inos = leases.lacking(journal.changed())
        if (inos.length > 0) throw new RowFault({ kind: "change", inos })
        const { inodes, removed } = commits.unit()
        for (const inode of journal.settle()) if (!removed.has(inode.ino)) inodes.add(inode)
        succeeded(exit.value)
      } else journal.undo()
      return exit
    } catch (error) {
      const undone = journal.undo()
      if (undone && error instanceof RowFault) return error
      if (!undone) commits.breakUnit()
      return Exit.die(error)
    } finally {
      times.end()
    }
  }

/** Makes what runs an operation again, as often as it misses something, each time with that loaded. */
const makeAgain = ({ load, log }: RunnerParts, attempt: ReturnType<typeof makeAttempt>) => {
  const loaded = (missing: Missing): Outcome<void> =>
    Effect.catch(load(missing), (error) => {
      log(`rows could not be loaded, and those who wait for them are told so: ${error.message}`)
      return Errno.EIO
    })

  /** Loads all that the probes miss, and what was missed in any case. */
  const loadAll = (fault: RowFault, probes: ReadonlyArray<() => unknown>): Outcome<void> => {
    const missing = isOfRows(fault) ? probes.map(missingOf).filter((one) => one !== undefined) : []
    return missing.length > 1
      ? Effect.forEach(missing, loaded, { concurrency: "unbounded", discard: true })
      : loaded(missing[0] ?? fault.missing)
  }

  const again = Effect.fnUntraced(function* <A>(
    fault: RowFault,
    probes: ReadonlyArray<() => unknown>,
    body: () => Outcome<A>,
    read: Array<Timespec>,
    succeeded?: (value: A) => void
  ) {
    /** What the operation changes: one lease may have been given up again while another was waited for. */
    const changes = new Set<number>()
    let missed = fault
    for (let faults = 0; faults < faultsMax; faults++) {
      yield* loadAll(withAll(missed, changes), probes)
      const outcome = attempt(body, read, succeeded)
      if (!(outcome instanceof RowFault)) return yield* outcome
      missed = outcome
    }
    return yield* Effect.die(new Error(`an operation misses ${fault.missing.kind} however often they are loaded`))
  })

  return again
}

export type Runner = ReturnType<typeof makeRunner>

export const makeRunner = (parts: RunnerParts) => {
  const { answers, commits } = parts
  const attempt = makeAttempt(parts)
  const seen = (context: RequestContext): void => {
    if (!context.resent) answers.fresh()
  }

  const again = makeAgain(parts, attempt)

  const perform = <A>(
    probes: () => ReadonlyArray<() => unknown>,
    body: () => Outcome<A>,
    succeeded?: (value: A) => void
  ): Outcome<A> => {
    const read: Array<Timespec> = []
    const outcome = attempt(body, read, succeeded)
    return outcome instanceof RowFault ? again(outcome, probes(), body, read, succeeded) : outcome
  }

  const none = (): ReadonlyArray<() => unknown> => []

  return {
    /** Wraps an operation that changes nothing but times. */
    reading:
      <Req extends AnyRequest>(operation: Operation<Req>, probes?: Probes<Req>): Operation<Req> =>
      (request, context) => {
        seen(context)
        return perform(probes === undefined ? none : () => probes(request), () => operation(request, context))
      },

    /** Wraps an operation that changes the store, so that a request takes effect once however often the kernel delivers it. */
    changing:
      <Req extends AnyRequest>(
        operation: Operation<Req>,
        recorded: Recorded<Req, AnswerOf<Req["op"]>>,
        probes?: Probes<Req>
      ): Operation<Req> =>
      (request, context) => {
        if (context.resent) {
          const record = answers.find(context.unique)
          if (record !== undefined) {
            commits.owe()
            return perform(none, () => recorded.fromRecord(record, request))
          }
        } else seen(context)
        return perform(
          probes === undefined ? none : () => probes(request),
          () => operation(request, context),
          (answer) => {
            commits.owe()
            commits.record(context.unique, recorded.toRecord(answer, request))
          }
        )
      },

    /** Runs a change that no request asks for; what it misses is loaded. */
    own: <A>(body: () => A): Outcome<A> => Effect.suspend(() => perform(none, () => Exit.succeed(body()))),
    /** Runs what only looks at the store: at once, unless something has to be loaded. */
    look: <A>(body: () => A): Outcome<A> => perform(none, () => Exit.succeed(body())),
    /**
     * Does a part of a longer operation, without a record, and stores it; once there is no failure that others wait to be
     * told of. It is not stopped halfway: a unit that is on its way is waited for.
     */
    part: (operation: () => Outcome<unknown>): Outcome<unknown> =>
      Effect.uninterruptible(
        Effect.gen(function* () {
          while (commits.broken() !== undefined) yield* pause
          const done = yield* perform(none, operation)
          yield* commits.storeNow
          return done
        })
      ),
    /** Whether a request was served before, and has its answer recorded. */
    isRecorded: (context: RequestContext): boolean => context.resent && answers.find(context.unique) !== undefined
  }
}
