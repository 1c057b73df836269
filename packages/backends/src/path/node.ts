/** A node of a path filesystem: a file that the kernel knows, and the names by which it is found. */
import type { Name, U64 } from "@bickford/protocol"
import { normal } from "@bickford/protocol/arithmetic"
import type { RequestContext } from "@bickford/session"
import type { PathAttributes } from "./callbacks.ts"

interface PathName {
  readonly parent: PathNode
  readonly name: string
}

export interface PathNode {
  readonly id: number
  /** The file's type, S_IF*. */
  readonly type: number
  /** As the callbacks number it, if they do. */
  readonly ino: U64 | undefined
  /** Where it is found; none once it is removed. */
  readonly names: Array<PathName>
  readonly children: Map<string, PathNode>
  /** `fh` of the handles that are open. */
  readonly handles: Set<number>
  /** The kernel holds it. */
  known: boolean
  /** Who removed it while it was open; it has a name of ours until it is closed. */
  removedBy: RequestContext | undefined
  /** What it was like when it was removed: somebody may be in the directory, or have the file open. */
  last: PathAttributes | undefined
  /** What was set on a removed file that no callback took. */
  set: Partial<PathAttributes> | undefined
  /** Nobody knows its size, so the kernel must not rely on it. */
  sizeless: boolean
  /** Operations going on whose path leads to it or through it. */
  passing: number
  /** An operation that takes its name away or changes it is going on. */
  moving: boolean
}

/** No name that is UTF-8 has half a surrogate pair. */
const bytesMark = "\udcff"

/** Names are strings here; one that is no UTF-8 has a character for each byte, after a mark. */
export const nameText = (name: Name): string =>
  typeof name === "string" ? name : `${bytesMark}${Buffer.from(name).toString("latin1")}`

export const nameOf = (text: string): Name =>
  text.startsWith(bytesMark) ? new Uint8Array(Buffer.from(text.slice(1), "latin1")) : text

/** The callbacks' own number of a file; 0 is none: readdir(3) of some C libraries leaves out what has it. */
export const inoOf = ({ ino }: PathAttributes): U64 | undefined => {
  if (ino === undefined) return undefined
  const number = typeof ino === "bigint" ? normal(ino) : ino
  return number === 0 ? undefined : number
}
