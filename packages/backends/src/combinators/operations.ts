/** The operations of a backend, as a combinator sees them: by name, all of one shape. */
import { type BackendOperation, operationNames, type Request } from "@bickford/protocol"
import { type AsyncBackend, type Backend, effectOf, memoryData, type RequestContext } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** Any operation: a request in, an Effect out. */
export type AnyOperation = (request: Request, context: RequestContext) => Effect.Effect<unknown, unknown>

/** What a backend has besides operations. */
const members: Record<Exclude<keyof Backend, BackendOperation>, true> = {
  capabilities: true,
  durable: true,
  interruptible: true,
  commit: true,
  run: true,
  init: true,
  delivered: true,
  destroy: true,
  forget: true,
  forgotten: true,
  shared: true,
  answerer: true,
  pathOf: true,
  writeBuf: true
}
/** Other isolates, and the addon, would serve the backend as it was before. */
const dropped: ReadonlySet<string> = new Set(["writeBuf", "shared", "answerer", "forgotten"])
const others = Object.keys(members).filter((name) => !dropped.has(name))

/** `write` by way of `writeBuf`. */
const writeBy =
  (backend: AsyncBackend, writeBuf: NonNullable<AsyncBackend["writeBuf"]>): NonNullable<AsyncBackend["write"]> =>
  (request, context) =>
    writeBuf.call(backend, { ...request, data: memoryData(request.data) }, context)

/** A backend's operation by name, bound to it. What an `async` one promises is waited for. */
export const operationOf = (backend: AsyncBackend, name: Request["op"]): AnyOperation | undefined => {
  const { writeBuf } = backend
  const operation: unknown =
    name === "write" && writeBuf !== undefined ? writeBy(backend, writeBuf) : Reflect.get(backend, name)
  if (typeof operation !== "function") return undefined
  // The table pairs every operation with the request that it takes.
  const bound = operation.bind(backend) as (
    ...args: Parameters<AnyOperation>
  ) => ReturnType<AnyOperation> | PromiseLike<unknown>
  return (request, context) => {
    const answer = bound(request, context)
    return Effect.isEffect(answer) ? answer : effectOf(answer)
  }
}

/**
 * `backend` with each operation that it has replaced by `change(name, operation)`; what is not an operation
 * stays as it is. An instance of a class will do as well. `writeBuf` becomes `write`: what it is given is a request as any.
 */
export const mapOperations = (
  backend: AsyncBackend,
  change: (name: Request["op"], operation: AnyOperation) => AnyOperation
): Backend => {
  const changed: { [name: string]: unknown } = {}
  for (const name of others) {
    const member: unknown = Reflect.get(backend, name)
    if (member !== undefined) changed[name] = typeof member === "function" ? member.bind(backend) : member
  }
  for (const name of operationNames) {
    const operation = operationOf(backend, name)
    if (operation !== undefined) changed[name] = change(name, operation)
  }
  // Every operation has been replaced by one that gives an Effect.
  const { forgotten: _forgotten, shared: _shared, writeBuf: _writeBuf, ...rest } = backend
  return { ...rest, ...changed } as Backend
}

/** What comes of an operation, changed: at once when it is there at once. */
export const mapAnswer = <A, B, E>(answer: Effect.Effect<A, E>, change: (value: A) => B): Effect.Effect<B, E> => {
  if (!Exit.isExit(answer)) return Effect.map(answer, change)
  // `Exit.isExit` forgets the types.
  const exit = answer as Exit.Exit<A, E>
  return Exit.isSuccess(exit) ? Exit.succeed(change(exit.value)) : Exit.failCause(exit.cause)
}
