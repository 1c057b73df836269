/** The names that a request is about, where it changes names. */
import type { Request } from "./generated/messages.ts"
import { operations } from "./operations.ts"
import type { Name, U64 } from "./primitives.ts"

/** A name in a directory, by the directory's node id. */
export type NameIn = readonly [parent: U64, name: Name]

/** Returns the names that a request makes or takes away: two of a rename, none of what changes no name. */
export const changedNames = (request: Request): ReadonlyArray<NameIn> => {
  switch (request.op) {
    case "rename":
      return [
        [request.nodeid, request.name],
        [request.newdir, request.newname]
      ]
    case "link":
      return [[request.nodeid, request.newname]]
    default: {
      const { changesNamespace, takesName } = operations[request.op]
      return changesNamespace && takesName && "name" in request ? [[request.nodeid, request.name]] : []
    }
  }
}
