/**
 * How operations run on the store: what they throw is an outcome, what they change is committed with a
 * record of the answer, and a request that was served before is answered from that record.
 */
import type { AnswerOf, ReplyOf, U64 } from "@bickford/protocol"
import { Errno, type ErrnoError, type Operation, type RequestContext } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { makeCommits } from "./commits.ts"
import { pause } from "../posix/slices.ts"
import type { StoredFilesystem } from "./filesystem.ts"

/** How an operation's answer is written as one number of the store, and made of that number for a repeated request. */
export interface Recorded<Req, A> {
  readonly toRecord: (answer: A, request: Req) => U64
  readonly fromRecord: (record: U64, request: Req) => Effect.Effect<A, ErrnoError>
}

const isSuccess = <A, E>(effect: Effect.Effect<A, E>): effect is Exit.Success<A, E> =>
  Exit.isExit(effect) && Exit.isSuccess(effect)

type AnyRequest = { readonly op: keyof ReplyOf }

export const makeRunner = (store: StoredFilesystem) => {
  const { inodes, replies } = store
  const commits = makeCommits(store)

  const seen = (context: RequestContext): void => {
    if (!context.resent && replies.fresh()) store.forgetServers()
  }

  /** Does a part of a longer operation, which has no record: done and committed, or neither. */
  const tryPart = (operation: () => Effect.Effect<unknown, ErrnoError>): Effect.Effect<unknown, ErrnoError> => {
    if (!commits.isSafe()) return Errno.EROFS
    try {
      inodes.watch()
      const exit = operation()
      inodes.settle(isSuccess(exit))
      store.commit()
      return exit
    } catch (error) {
      inodes.settle(true)
      return commits.undoPart(error)
    }
  }

  return {
    /** Wraps an operation that changes nothing but times. */
    reading:
      <Req extends AnyRequest>(operation: Operation<Req>): Operation<Req> =>
      (request, context) => {
        const broken = commits.broken()
        if (broken !== undefined) return broken
        try {
          seen(context)
          return operation(request, context)
        } catch (error) {
          return commits.failed(error)
        }
      },

    /** Wraps an operation that changes the store, so that a request takes effect once however often the kernel delivers it. */
    changing:
      <Req extends AnyRequest>(
        operation: Operation<Req>,
        recorded: Recorded<Req, AnswerOf<Req["op"]>>
      ): Operation<Req> =>
      (request, context) => {
        const broken = commits.broken()
        if (broken !== undefined) return broken
        try {
          if (context.resent) {
            const record = replies.find(context.unique)
            if (record !== undefined) {
              commits.owe()
              return recorded.fromRecord(record, request)
            }
          } else seen(context)
          if (!commits.isSafe()) return Errno.EROFS
          commits.owe()
          inodes.watch()
          const exit = operation(request, context)
          inodes.settle(isSuccess(exit))
          if (isSuccess(exit)) replies.record(context.unique, recorded.toRecord(exit.value, request))
          return exit
        } catch (error) {
          inodes.settle(true)
          return commits.failed(error)
        }
      },

    /** Whether a request was served before, and has its answer recorded. */
    isRecorded: (context: RequestContext): boolean => context.resent && replies.find(context.unique) !== undefined,

    /** Does a part of a longer operation and commits it; once there is no rollback that others wait for. */
    part: (operation: () => Effect.Effect<unknown, ErrnoError>): Effect.Effect<unknown, ErrnoError> =>
      Effect.gen(function* () {
        while (commits.broken() !== undefined) yield* pause
        return yield* tryPart(operation)
      }),

    forget: (nodeid: U64): void => {
      if (commits.broken() !== undefined) return
      try {
        store.filesystem.forget(nodeid)
      } catch (error) {
        commits.failed(error)
      }
    },

    commit: commits.commit,
    close: commits.close
  }
}

export type Runner = ReturnType<typeof makeRunner>
