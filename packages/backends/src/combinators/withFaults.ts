/** Faults on purpose, for tests of what a program does about them. */
import { type Backend, errnoErrorNamed, type ErrnoName, type Request } from "@bickford/session"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { mapOperations } from "./operations.ts"

/** When a fault strikes, and what it is. The first that strikes wins. */
export interface Fault {
  /** Default: every operation. */
  readonly operations?: ReadonlyArray<Request["op"]>
  /** Of the request; default: any. */
  readonly when?: (request: Request) => boolean
  /** From 0 to 1, the default. */
  readonly probability?: number
  readonly fault:
    /** The operation fails, before it does anything. */
    | { readonly errno: ErrnoName }
    /** The operation is done later. */
    | { readonly delay: Duration.Input }
    /** The operation throws. */
    | { readonly crash: string }
    /** The operation never ends. */
    | "hang"
}

export interface FaultOptions {
  /** A number from 0 up to, not including, 1. Default `Math.random`; give one with a seed to have the same faults again. */
  readonly random?: () => number
}

export const withFaults = (backend: Backend, faults: ReadonlyArray<Fault>, options: FaultOptions = {}): Backend => {
  const random = options.random ?? Math.random
  return mapOperations(backend, (name, operation) => (request, context) => {
    const struck = faults.find(({ operations, probability, when }) =>
      (operations === undefined || operations.includes(name)) && (when === undefined || when(request)) && (probability === undefined || random() < probability))
    if (struck === undefined) return operation(request, context)
    const { fault } = struck
    if (fault === "hang") return Effect.never
    if ("errno" in fault) return Exit.fail(errnoErrorNamed(fault.errno))
    if ("crash" in fault) throw new Error(fault.crash)
    return Effect.andThen(Effect.sleep(fault.delay), Effect.suspend(() => operation(request, context)))
  })
}
