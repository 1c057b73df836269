/** What a request is about, in words for a log: asked of the backend only when something has gone wrong. */
import { printable, type Request, type U64 } from "@bickford/protocol"
import type { AsyncBackend } from "../Backend.ts"

const isRoot = (nodeid: U64): boolean => nodeid === 1 || nodeid === 1n

/** A node's path within the mount, as text that can be printed; undefined where the backend does not know. */
const pathOf = (backend: AsyncBackend | undefined, nodeid: U64): string | undefined => {
  if (isRoot(nodeid)) return "/"
  try {
    const path: unknown = backend?.pathOf?.(nodeid)
    return typeof path === "string" || path instanceof Uint8Array ? printable(path) : undefined
  } catch {
    // The line that is being written tells of another fault.
    return undefined
  }
}

/** Returns `/dir/file`, or what is known: `"file" in node 7`, `node 7`. */
export const placeOf = (backend: AsyncBackend | undefined, request: Request): string => {
  const path = pathOf(backend, request.nodeid)
  // The name of an extended attribute is none in a directory.
  const isAttribute = request.op === "getxattr" || request.op === "setxattr" || request.op === "removexattr"
  if (!("name" in request) || isAttribute) return path ?? `node ${request.nodeid}`
  const name = printable(request.name)
  if (path === undefined) return `"${name}" in node ${request.nodeid}`
  return path === "/" ? `/${name}` : `${path}/${name}`
}
