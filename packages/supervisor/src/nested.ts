/** A whole supervisor as another's child. */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { SupervisorError } from "./errors.ts"
import type { ChildSpec, SupervisorOptions } from "./spec.ts"
import { make, type Supervisor } from "./supervisor.ts"

/**
 * The next sibling starts when all of `specs` have started; giving up is the child's failure, with the
 * SupervisorError as its cause; `child` says what its parent makes of its end. Waits without limit for
 * its children when stopped, as they have limits of their own.
 */
export const nested = <E = never, R = never>(
  options: SupervisorOptions & { readonly id: string },
  specs: ReadonlyArray<ChildSpec<E, R>>,
  child: Pick<ChildSpec<never, never>, "restart" | "shutdown" | "significant"> = {}
): ChildSpec<SupervisorError, R> => {
  // By the scope of the run, so that one spec can be used in several places.
  const running = new WeakMap<Scope.Scope, Supervisor>()
  return {
    ...child,
    id: options.id,
    type: "supervisor",
    init: Effect.flatMap(make(options, specs), (supervisor) =>
      Effect.map(Effect.scope, (scope) => running.set(scope, supervisor))
    ),
    start: Effect.flatMap(Effect.scope, (scope) => running.get(scope)?.await ?? Effect.void)
  }
}
