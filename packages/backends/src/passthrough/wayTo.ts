/** The way that leads to a file: the names from the root, in pieces that a system call takes. */
import type { Name } from "@bickford/protocol"
import type { Node } from "./node.ts"

/** PATH_MAX: what one system call takes and proc(5) gives, in bytes. */
export const pathRoom = 4096
/** Names that lead to a file. More are taken for a circle, which renames by others can make of what was seen. */
const depthMost = 100_000

const bytesOf = (name: Name): Uint8Array => (typeof name === "string" ? Buffer.from(name) : name)
const slash = Buffer.from("/")

/** Where a node was seen last: a directory, and the name in it; empty where it has none. */
export type PlaceOf = (node: Node) => { readonly parent: Node | undefined; readonly name: Name }

/** The way from the root, or from what is pinned, in pieces of less than PATH_MAX; undefined when it is not known. */
export const wayTo = (
  root: Node,
  node: Node,
  placeOf: PlaceOf
): { readonly from: number; readonly pieces: ReadonlyArray<Uint8Array> } | undefined => {
  const names: Array<Uint8Array> = []
  let at: Node | undefined = node
  while (at !== root && at?.pinned !== true) {
    const place: ReturnType<PlaceOf> | undefined = at === undefined ? undefined : placeOf(at)
    if (place === undefined || place.name.length === 0 || names.length > depthMost) return undefined
    names.push(bytesOf(place.name))
    at = place.parent
  }
  const pieces: Array<Uint8Array> = []
  let piece: Array<Uint8Array> = []
  let length = 0
  for (const name of names.reverse()) {
    if (length + 1 + name.length >= pathRoom) {
      pieces.push(Buffer.concat(piece))
      piece = []
      length = 0
    }
    if (length > 0) piece.push(slash)
    piece.push(name)
    length += name.length + 1
  }
  pieces.push(Buffer.concat(piece))
  return { from: at.fd, pieces }
}

/** The path of a file within the mount, by the names that were last seen; undefined when they do not lead from the root. */
export const pathTo = (root: Node, node: Node, placeOf: PlaceOf): Uint8Array | undefined => {
  const way = wayTo(root, node, placeOf)
  if (way === undefined || way.from !== root.fd) return undefined
  return Buffer.concat(way.pieces.flatMap((piece) => [slash, piece]))
}
