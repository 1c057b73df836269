/** What calls by path are made of. */
import type { BatchForgetRequest, InitReply, ReplyOf, Request, RequestHeader } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import type { ErrnoError } from "../errno.ts"

/** What can go wrong with the connection itself. */
export interface Fault {
  readonly _tag: string
}

/** A call's outcome: the errno that the program would see, or what went wrong with the connection (`F`). */
export type Answered<A, F extends Fault = never> = Effect.Effect<A, ErrnoError | F>

type Defaulted<R> = R extends RequestHeader ? Omit<R, keyof RequestHeader> & Partial<RequestHeader> : never

/** A request; header fields left out are: a fresh `unique`, node 1, the caller's uid, gid and pid. */
export type RequestInput = Defaulted<Request>

/** The requests of a kernel, and what it knows. */
export interface KernelSide<F extends Fault = never> {
  /** Sends a request and gives its decoded reply; an error reply fails with its errno. */
  readonly call: <R extends RequestInput & { readonly op: keyof ReplyOf }>(request: R) => Answered<ReplyOf[R["op"]], F>
  /** Gives lookups of nodes back. */
  readonly batchForget: (forgets: BatchForgetRequest["forgets"]) => Effect.Effect<void, F>
  /** Waits until the server has taken everything that was sent. */
  readonly settled: Effect.Effect<void, F>
  /** What INIT was answered; undefined before. */
  readonly agreed: () => InitReply | undefined
  /** Succeeds once INIT was answered; fails, or waits, before. */
  readonly ready: Effect.Effect<void, F>
  /** The caller's file mode creation mask. */
  readonly umask: () => number
}

/** An operation that the server may lack without the program seeing it. */
export const unlessAbsent = <A, F extends Fault>(call: Answered<A, F>): Answered<A | undefined, F> =>
  Effect.catch(call, (error) =>
    error._tag === "ENOSYS" ? Effect.succeed(undefined) : Effect.fail<ErrnoError | F>(error)
  )
