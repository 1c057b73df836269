/**
 * How operations run on the store: what they throw is an outcome, what they change is committed with a
 * record of the answer, and a request that was served before is answered from that record.
 */
import type { AnswerOf, ReplyOf, U64 } from "@bickford/protocol"
import { Errno, type ErrnoError, type Operation, type RequestContext } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { failureOf } from "./errors.ts"
import type { StoredFilesystem } from "./filesystem.ts"

/** How an answer is recorded, and given again. */
export interface Recorded<Req, A> {
  readonly keep: (answer: A, request: Req) => U64
  readonly again: (kept: U64, request: Req) => Effect.Effect<A, ErrnoError>
}

/** Milliseconds for which what no reply tells of may stay uncommitted. */
const patience = 100

/** Lets others be served. */
export const pause = Effect.callback<void>((resume) => {
  const turn = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(turn))
})

const isSuccess = <A, E>(effect: Effect.Effect<A, E>): effect is Exit.Success<A, E> =>
  Exit.isExit(effect) && Exit.isSuccess(effect)

type AnyRequest = { readonly op: keyof ReplyOf }

export const makeRunner = (store: StoredFilesystem) => {
  const { inodes, replies } = store
  /** Why the transaction cannot be committed: some of its requests may have been done in part. */
  let broken: Exit.Exit<never, ErrnoError> | undefined
  /** A reply is held until the commit. Times of reading and what was forgotten can wait for the next. */
  let owed = false
  let later: NodeJS.Timeout | undefined

  const failed = (error: unknown): Exit.Exit<never, ErrnoError> => {
    const failure = failureOf(error)
    if (store.isDirty()) broken = failure
    return failure
  }

  const seen = (context: RequestContext): void => {
    if (!context.resent && replies.fresh()) store.forgetServers()
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
    store.rollback()
    if (failure === Errno.ENOSPC) store.makeRoom()
    return failure
  }

  /** After a failed fsync, before a change: whether all that was committed is safe again. */
  const mended = (): boolean => {
    try {
      store.mend()
      return true
    } catch {
      store.rollback()
      return false
    }
  }

  /** A part of a longer operation, which has no record: done and committed, or neither. */
  const tryPart = (operation: () => Effect.Effect<unknown, ErrnoError>): Effect.Effect<unknown, ErrnoError> => {
    if (!store.isSafe() && !mended()) return Errno.EROFS
    let failure: Exit.Exit<never, ErrnoError>
    try {
      inodes.watch()
      const exit = operation()
      inodes.settle(isSuccess(exit))
      store.commit()
      return exit
    } catch (error) {
      inodes.settle(true)
      failure = failureOf(error)
    }
    store.rollback()
    if (failure === Errno.ENOSPC) store.makeRoom()
    // What others had done was rolled back with it: their commit fails, and they are run again.
    if (owed) broken = failure
    return failure
  }

  const commitLater = (): void => {
    later = undefined
    // Requests that wait for a commit are told when it fails: theirs is under way.
    if (broken === undefined && !owed) commit()
  }

  return {
    /** For what changes nothing but times. */
    reading:
      <Req extends AnyRequest>(operation: Operation<Req>): Operation<Req> =>
      (request, context) => {
        // Until the transaction is rolled back nothing can be told of the store.
        if (broken !== undefined) return broken
        try {
          seen(context)
          return operation(request, context)
        } catch (error) {
          return failed(error)
        }
      },

    /** For what changes the store: done once, however often it is delivered. */
    changing:
      <Req extends AnyRequest>(
        operation: Operation<Req>,
        recorded: Recorded<Req, AnswerOf<Req["op"]>>
      ): Operation<Req> =>
      (request, context) => {
        if (broken !== undefined) return broken
        try {
          if (context.resent) {
            const kept = replies.find(context.unique)
            if (kept !== undefined) {
              owed = true
              return recorded.again(kept, request)
            }
          } else seen(context)
          if (!store.isSafe() && !mended()) return Errno.EROFS
          owed = true
          inodes.watch()
          const exit = operation(request, context)
          inodes.settle(isSuccess(exit))
          if (isSuccess(exit)) replies.record(context.unique, recorded.keep(exit.value, request))
          return exit
        } catch (error) {
          inodes.settle(true)
          return failed(error)
        }
      },

    /** Whether a request was served before, and has its answer recorded. */
    isRecorded: (context: RequestContext): boolean => context.resent && replies.find(context.unique) !== undefined,

    /** Does a part of a longer operation and commits it; once there is no rollback that others wait for. */
    part: (operation: () => Effect.Effect<unknown, ErrnoError>): Effect.Effect<unknown, ErrnoError> =>
      Effect.gen(function* () {
        while (broken !== undefined) yield* pause
        return yield* tryPart(operation)
      }),

    forget: (nodeid: U64): void => {
      if (broken !== undefined) return
      try {
        store.filesystem.forget(nodeid)
      } catch (error) {
        failed(error)
      }
    },

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

export type Runner = ReturnType<typeof makeRunner>
