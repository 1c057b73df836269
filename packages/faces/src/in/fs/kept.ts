/**
 * Attributes that a filesystem cannot keep: permissions, owners, times. They are kept here for the life of the mount, so that
 * programs that set them (`npm`, `git`, `tar`) find what they have set.
 */
import type { PathAttributes } from "@bickford/backends"
import type { Timespec } from "@bickford/protocol"
import { PathMap } from "./PathMap.ts"

/** What was set on a file and its filesystem does not keep. */
export interface Kept {
  /** Permissions, without the type. */
  mode?: number
  uid?: number
  gid?: number
  atime?: Timespec
  mtime?: Timespec
  ctime?: Timespec
}

/** What is kept of files, by their path. */
export type KeptAttributes = PathMap<Kept>

/** Makes room for attributes; nothing is kept yet. */
export const makeKept = (): KeptAttributes => new PathMap<Kept>()

/** Keeps more of a file's attributes. */
export const keep = (kept: KeptAttributes, path: string, set: Kept): void => {
  const before = kept.get(path)
  if (before === undefined) kept.set(path, { ...set })
  else Object.assign(before, set)
}

/** A file was written to: times that were set before count no more. */
export const outdate = (kept: Kept | undefined): void => {
  if (kept === undefined) return
  delete kept.mtime
  delete kept.ctime
}

const permissions = 0o7777

/** What a file's filesystem says of it, with what is kept here. */
export const withKept = (found: PathAttributes, kept: Kept | undefined): PathAttributes => {
  if (kept === undefined) return found
  const { mode, ...others } = kept
  return { ...found, ...others, mode: mode === undefined ? found.mode : (found.mode & ~permissions) | mode }
}
