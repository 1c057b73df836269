/** The operations of a backend, as a combinator sees them: by name, all of one shape. */
import { type Backend, operationNames, type Request, type RequestContext } from "@bickford/session"
import type * as Effect from "effect/Effect"

/** Any operation: a request in, an Effect out. */
export type AnyOperation = (request: Request, context: RequestContext) => Effect.Effect<unknown, unknown>

/**
 * `backend` with each operation that it has replaced by `change(name, operation)`; what is not an operation
 * stays as it is.
 */
export const mapOperations = (backend: Backend, change: (name: Request["op"], operation: AnyOperation) => AnyOperation): Backend => {
  const changed: { [name: string]: AnyOperation } = {}
  for (const name of operationNames) {
    const operation: unknown = Reflect.get(backend, name)
    // The table pairs every operation with the request that it takes.
    if (typeof operation === "function") changed[name] = change(name, operation.bind(backend) as AnyOperation)
  }
  return { ...backend, ...changed }
}
