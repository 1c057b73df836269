/**
 * The shape of `node:fs/promises`, as much of it as a mount needs.
 *
 * memfs, ZenFS, LightningFS, unionfs and `node:fs/promises` itself have it. Each method may also answer at once, so that what
 * is in memory costs no Promise. Errors are known by their `code`.
 */

/** An answer that may be there at once. */
export type Maybe<A> = A | Promise<A>

/** As `fs.Stats` or `fs.BigIntStats`; what a filesystem does not know it leaves out. */
export interface FsStats {
  /** Permissions, with the type (S_IF*) or without: then the `is...` methods tell it. */
  readonly mode: number | bigint
  readonly size: number | bigint
  readonly nlink?: number | bigint
  readonly uid?: number | bigint
  readonly gid?: number | bigint
  /** 0 counts as unknown. */
  readonly ino?: number | bigint
  readonly rdev?: number | bigint
  readonly blocks?: number | bigint
  readonly atimeMs?: number | bigint
  readonly mtimeMs?: number | bigint
  readonly ctimeMs?: number | bigint
  /** Nanoseconds since the epoch, which `bigint: true` asks for. */
  readonly atimeNs?: bigint
  readonly mtimeNs?: bigint
  readonly ctimeNs?: bigint
  /** As `node:fs/promises` has it. */
  isDirectory(): boolean
  /** As `node:fs/promises` has it. */
  isSymbolicLink(): boolean
}

/** As `fs.StatFs`. */
export interface FsStatfs {
  readonly bsize: number | bigint
  readonly blocks: number | bigint
  readonly bfree: number | bigint
  readonly bavail: number | bigint
  readonly files: number | bigint
  readonly ffree: number | bigint
}

/** An open file, as `FileHandle` of `node:fs/promises`. Reads and writes name their position. */
export interface FsHandle {
  /** Fills `buffer` from `offset` on; 0 bytes are the end of the file. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Maybe<{ readonly bytesRead: number }>
  /** As `node:fs/promises` has it. */
  write(buffer: Uint8Array, offset: number, length: number, position: number): Maybe<{ readonly bytesWritten: number }>
  /** As `node:fs/promises` has it. */
  stat(options?: { bigint: boolean }): Maybe<FsStats>
  /** As `node:fs/promises` has it. */
  truncate(length: number): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  close(): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  sync?(): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  chmod?(mode: number): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  chown?(uid: number, gid: number): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  utimes?(atime: number | Date, mtime: number | Date): Maybe<unknown>
}

/** The filesystem. Without `open` files are read and written whole: `readFile` when they are first looked into, `writeFile` when they are closed. */
export interface FsLike {
  /** As `node:fs/promises` has it. */
  stat(path: string, options?: { bigint: boolean }): Maybe<FsStats>
  /** As `stat`, of a symbolic link itself. Without it there are no links. */
  lstat?(path: string, options?: { bigint: boolean }): Maybe<FsStats>
  /** Strings, or Buffers of names. */
  readdir(path: string): Maybe<Iterable<unknown>>
  /** As `node:fs/promises` has it. */
  readFile(path: string): Maybe<string | Uint8Array>
  /** As `node:fs/promises` has it. */
  writeFile?(path: string, data: Uint8Array, options?: { mode?: number }): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  open?(path: string, flags: number, mode?: number): Maybe<FsHandle>
  /** As `node:fs/promises` has it. */
  mkdir?(path: string, options?: { mode?: number }): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  rmdir?(path: string): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  rm?(path: string, options: { recursive: boolean }): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  unlink?(path: string): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  rename?(path: string, newPath: string): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  link?(path: string, newPath: string): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  symlink?(target: string, path: string): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  readlink?(path: string): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  chmod?(path: string, mode: number): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  lchown?(path: string, uid: number, gid: number): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  chown?(path: string, uid: number, gid: number): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  lutimes?(path: string, atime: number | Date, mtime: number | Date): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  utimes?(path: string, atime: number | Date, mtime: number | Date): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  truncate?(path: string, length: number): Maybe<unknown>
  /** As `node:fs/promises` has it. */
  statfs?(path: string): Maybe<FsStatfs>
  /** Events name a path below the one that is watched; `null` when nobody knows which. */
  watch?(
    path: string,
    options: { recursive: boolean; signal: AbortSignal }
  ): AsyncIterable<{ readonly filename?: unknown }>
}
