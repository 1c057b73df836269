/** What a request that succeeded has changed, by path. */
import { changedNames, type Name, type Request, type U64 } from "@bickford/protocol"

/** A change: of the name at a path (something was made, removed or moved there), or of what it names. */
export interface PathChange {
  readonly kind: "name" | "content"
  /** From the root on, with `/` before it. Bytes that are no UTF-8 are replacement characters. */
  readonly path: string
}

const text = (name: Name): string => (typeof name === "string" ? name : Buffer.from(name).toString())

/** The changes that a request made. A node whose path nobody knows, as one that has been removed, is left out. */
export const changesOf = (request: Request, pathOf: (nodeid: U64) => Name | undefined): ReadonlyArray<PathChange> => {
  const content = (nodeid: U64): ReadonlyArray<PathChange> => {
    const path = pathOf(nodeid)
    return path === undefined ? [] : [{ kind: "content", path: text(path) }]
  }
  const names = (): ReadonlyArray<PathChange> =>
    changedNames(request).flatMap(([directory, name]): ReadonlyArray<PathChange> => {
      const above = pathOf(directory)
      if (above === undefined) return []
      const path = text(above)
      return [{ kind: "name", path: `${path === "/" ? "" : path}/${text(name)}` }]
    })
  switch (request.op) {
    case "write":
    case "setattr":
    case "fallocate":
    case "setxattr":
    case "removexattr":
      return content(request.nodeid)
    case "copyFileRange":
      return content(request.nodeidOut)
    default:
      return names()
  }
}
