/** An open file, whether its filesystem has handles or only whole files. */
import type { PathAttributes } from "@bickford/backends"
import type { Maybe } from "./FsLike.ts"
import type { Kept } from "./kept.ts"

/** What can be done with an open file. Paths are the file's present ones, undefined once it is removed. */
export interface OpenFile {
  readonly read: (size: number, offset: number) => Maybe<Uint8Array>
  /** Writes all of it. The bytes are the caller's again when the answer is there. */
  readonly write: (data: Uint8Array, offset: number) => Maybe<void>
  readonly truncate: (size: number) => Maybe<void>
  /** Brings what was written to the filesystem; close(2) answers what this fails with. */
  readonly flush: (path: string | undefined) => Maybe<void>
  readonly sync: (path: string | undefined) => Maybe<void>
  readonly close: (path: string | undefined) => Maybe<void>
  readonly attributes: () => Maybe<PathAttributes>
  /** What is kept of the file, where its filesystem does not keep all. */
  readonly kept: Kept | undefined
  readonly chmod: ((mode: number) => Maybe<void>) | undefined
  readonly chown: ((uid: number, gid: number) => Maybe<void>) | undefined
  readonly utimes: ((atime: number | Date, mtime: number | Date) => Maybe<void>) | undefined
}

/** Opens files. `make` is for a new one: EEXIST when there is one and `exclusive` is set. */
export interface Opener {
  readonly open: (path: string, accessMode: number) => Maybe<OpenFile>
  readonly make: (path: string, mode: number, accessMode: number, exclusive: boolean) => Maybe<OpenFile>
  /** Sets the size of a file by its path. */
  readonly truncate: (path: string, size: number) => Maybe<void>
  /** The size of a file that is open and not written back yet. */
  readonly sizeOf: (path: string) => number | undefined
  /** The name at `path` is about to go: what those who have it open will still read is read now, where there are no handles. */
  readonly keep?: (path: string) => Maybe<void>
  /** `path` is `newPath` now. */
  readonly moved: (path: string, newPath: string) => void
  readonly removed: (path: string) => void
}
