/** Calls that are answered at once, for those whose methods return values. */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { errnoErrorNamed } from "@bickford/session"
import type { Called } from "./NodeCalls.ts"
import { NodeError } from "./NodeError.ts"
import type { Shared } from "./share.ts"

/**
 * What a call answers. Throws its error; EAGAIN where the filesystem would have to wait: then only the methods that return
 * promises are for it.
 */
export const now = <A>({ atOnce }: Shared, call: Called<A>): A => {
  const exit = atOnce(call)
  if (Exit.isSuccess(exit)) return exit.value
  const failed = Cause.findErrorOption(exit.cause)
  if (failed._tag === "Some") throw failed.value
  const defect = Cause.squash(exit.cause)
  if (defect instanceof Error && Reflect.get(defect, "_tag") !== "AsyncFiberError") throw defect
  throw Object.assign(new NodeError(errnoErrorNamed("EAGAIN"), "sync"), {
    message: "EAGAIN: this filesystem answers later: call the method that returns a promise",
    cause: defect
  })
}
