/** Tells the kernel to look names up again: a change of them ended when its caller had been answered already. */
import { changedNames, type Request } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import type { Notifier } from "../notify/Notifier.ts"

/** Drops the names that a request may have changed; a name that the kernel does not hold is no error. */
export const dropNames = (notifier: Notifier, request: Request): void => {
  for (const [parent, name] of changedNames(request)) Effect.runFork(Effect.ignore(notifier.invalEntry(parent, name)))
}
