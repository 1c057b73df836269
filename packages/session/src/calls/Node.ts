/** Nodes and names as a walk meets them. */
import { type Attr, statMode, type U64 } from "@bickford/protocol"

/** A node met on a path. */
export interface Node {
  readonly nodeid: U64
  readonly mode: number
  /** As the walk found them; undefined for the root, which is not looked up. */
  readonly attr?: Attr
}
/** A name in a directory, and the node that has it, if any. */
export interface Place {
  readonly parent: U64
  /** The directory `parent`. */
  readonly directory: Node
  readonly name: string
  readonly found: Node | undefined
  /** Where the walk has come to: the absolute path of `found`, unless that is a link that was not followed. */
  readonly path?: string
}

const { S_IFDIR, S_IFLNK, S_IFMT } = statMode
/** The mount's root. */
export const root: Node = { nodeid: 1, mode: S_IFDIR }

/** Whether a node is a directory. */
export const isDirectory = ({ mode }: Node): boolean => (mode & S_IFMT) === S_IFDIR
/** Whether a node is a symbolic link. */
export const isLink = ({ mode }: Node): boolean => (mode & S_IFMT) === S_IFLNK
