/** What calls by path are made of. */
import type { BatchForgetRequest, InitReply, ReplyOf } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import type { ErrnoError } from "../errno.ts"
import type { FakeKernelError, RequestInput } from "./kernelRequests.ts"

/** What a call by path can fail with: the errno that the program would see, or a fault of the server's. */
export type Failure = ErrnoError | FakeKernelError
/** A call's outcome. */
export type Answered<A> = Effect.Effect<A, Failure>

/** The requests of a kernel, and what it knows. */
export interface KernelSide {
  readonly call: <R extends RequestInput & { readonly op: keyof ReplyOf }>(request: R) => Answered<ReplyOf[R["op"]]>
  readonly batchForget: (forgets: BatchForgetRequest["forgets"]) => Effect.Effect<void, FakeKernelError>
  /** Waits until the server has taken everything that was sent. */
  readonly settled: Effect.Effect<void, FakeKernelError>
  /** What INIT was answered; undefined before. */
  readonly agreed: () => InitReply | undefined
}

/** An operation that the server may lack without the program seeing it. */
export const unlessAbsent = <A>(call: Answered<A>): Answered<A | undefined> =>
  Effect.catch(call, (error) => (error._tag === "ENOSYS" ? Effect.succeed(undefined) : Effect.fail<Failure>(error)))
