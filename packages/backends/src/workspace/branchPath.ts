/**
 * Paths below a base directory, as text with a character for each byte ("latin1"): every path can be one, and they sort,
 * split and join as text does. The empty path is the directory itself.
 */
import { type Name, nameFromBytes } from "@bickford/protocol"

export type BranchPath = string

export const pathFromBytes = (bytes: Uint8Array): BranchPath => Buffer.from(bytes).toString("latin1")

export const pathBytes = (path: BranchPath): Buffer => Buffer.from(path, "latin1")

/** The path as a name is written elsewhere: text, or the bytes of what is no UTF-8. */
export const shownPath = (path: BranchPath): Name => nameFromBytes(pathBytes(path))

export const joinPath = (directory: BranchPath, name: BranchPath): BranchPath =>
  directory === "" ? name : `${directory}/${name}`

export const parentOf = (path: BranchPath): BranchPath => path.slice(0, Math.max(0, path.lastIndexOf("/")))

export const lastName = (path: BranchPath): BranchPath => path.slice(path.lastIndexOf("/") + 1)

/** How many names a path has. */
export const depthOf = (path: BranchPath): number => (path === "" ? 0 : path.split("/").length)

export const isAtOrBelow = (path: BranchPath, directory: BranchPath): boolean =>
  directory === "" || path === directory || path.startsWith(`${directory}/`)
