/** Tells the kernel to look names up again: a change of them ended when its caller had been answered already. */
import type { Name, Request, U64 } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import type { Notifier } from "../notify/Notifier.ts"

/** The names that a request may make or take away, each in its directory. */
const namesIn = (request: Request): ReadonlyArray<readonly [parent: U64, name: Name]> => {
  switch (request.op) {
    case "symlink":
    case "mknod":
    case "mkdir":
    case "create":
    case "unlink":
    case "rmdir":
      return [[request.nodeid, request.name]]
    case "link":
      return [[request.nodeid, request.newname]]
    case "rename":
      return [
        [request.nodeid, request.name],
        [request.newdir, request.newname]
      ]
    default:
      return []
  }
}

/** Drops the names that a request may have changed; a name that the kernel does not hold is no error. */
export const dropNames = (notifier: Notifier, request: Request): void => {
  for (const [parent, name] of namesIn(request)) Effect.runFork(Effect.ignore(notifier.invalEntry(parent, name)))
}
