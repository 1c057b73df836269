/**
 * Calls of the backend's operations.
 *
 * An operation that has its answer at once returns an `Exit`, and costs no fiber. Every other one runs in a fiber
 * with the services of the session.
 */
import { described, limits as numbers, type Request } from "@bickford/protocol"
import { opcodeTable } from "@bickford/protocol/codec"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"
import type { AsyncBackend } from "../Backend.ts"
import type { Connection } from "../connection/Connection.ts"
import type { Diagnostics } from "../Diagnostics.ts"
import { CallContext } from "./CallContext.ts"
import type { Guard } from "./guard.ts"
import type { Handler, Handlers } from "./handlers.ts"
import { answerOfPromise, failed, isThenable } from "./promises.ts"
import { makeWithdrawal, type Withdrawal } from "./withdrawal.ts"

/** What a call comes to: its answer, or the fiber that works on it. */
export type Outcome = Exit.Exit<unknown, unknown> | Fiber.Fiber<unknown, unknown>

interface MaybeExit {
  readonly "~effect/Exit"?: unknown
}

/** As `Exit.isExit`, which asks with `in`, for every request, what an inline cache cannot answer. */
export const isExit = (value: object & MaybeExit): value is Exit.Exit<unknown, unknown> =>
  value["~effect/Exit"] !== undefined

const spanAttributes = (request: Request) => ({
  "fuse.nodeid": String(request.nodeid),
  "fuse.unique": String(request.unique),
  ...(request.uid === numbers.FUSE_INVALID_UIDGID ? {} : { "fuse.uid": request.uid }),
  "fuse.pid": request.pid
})

export interface Calls {
  /** Runs an operation. What it throws is its failure or its defect. */
  readonly call: (handler: Handler, request: Request, caller: CallContext) => Outcome
  /** Gives back what an operation has brought when its caller had been answered already. */
  readonly withdraw: (request: Request, value: unknown) => void
  /** Releases what an operation has opened when the kernel did not take the reply. */
  readonly release: Withdrawal["release"]
}

/** Calls of `backend` by its `handlers`; `context` has the services of its fibers. */
export const makeCalls = (
  connection: Connection,
  backend: AsyncBackend,
  handlers: Handlers,
  context: Context.Context<never>,
  diagnostics: Diagnostics,
  guard: Guard
): Calls => {
  const run = Effect.runForkWith(context)
  // Spans only for those who have a tracer of their own.
  const traced = context.mapUnsafe.has(Tracer.Tracer.key)

  const call = (handler: Handler, request: Request, caller: CallContext): Outcome => {
    let effect: Effect.Effect<unknown, unknown>
    try {
      const answer = handler.call(backend, request, caller)
      if (answer !== null && answer !== undefined && isExit(answer)) return answer
      effect = effectOf(answer, request, caller)
    } catch (thrown) {
      return failed(thrown)
    }
    const fiber = run(
      traced ? Effect.withSpan(effect, `fuse.${request.op}`, { attributes: spanAttributes(request) }) : effect
    )
    return fiber.pollUnsafe() ?? fiber
  }

  /** What an operation has returned, if it is no Exit. */
  const effectOf = (answer: unknown, request: Request, caller: CallContext): Effect.Effect<unknown, unknown> => {
    if (Effect.isEffect(answer)) return answer as Effect.Effect<unknown, unknown>
    if (isThenable(answer))
      return answerOfPromise(
        answer,
        () => caller.abort(),
        (late) => withdraw(request, late)
      )
    return Exit.die(
      new TypeError(
        `${request.op} returned ${described(answer)}; expected: an Effect or a promise. ` +
          "(Callbacks by path, which return values, become a backend by PathFilesystem.make.)"
      )
    )
  }

  /** Runs an operation that no caller asked for. */
  const callUnasked = (request: Request): void => {
    const handler = handlers.find((_, opcode) => opcodeTable[opcode]?.op === request.op)
    if (handler === undefined) return
    const outcome = call(handler, request, new CallContext(connection.id, request.unique, false, request))
    const report = (exit: Exit.Exit<unknown, unknown>): void => {
      if (Exit.isFailure(exit)) diagnostics.threw(request.op, Cause.squash(exit.cause))
    }
    if (isExit(outcome)) report(outcome)
    else outcome.addObserver(report)
  }

  const withdrawal = makeWithdrawal(connection.nodes, backend, callUnasked)
  const withdraw = (request: Request, value: unknown): void =>
    guard(`${request.op} that nobody waited for`, () => withdrawal.all(request, value))

  return { call, withdraw, release: withdrawal.release }
}
