/**
 * Mounts a provider of `node:vfs` or `@platformatic/vfs`.
 *
 * A provider's handles may each hold the file as it was when they were opened (`MemoryProvider`'s do), so a file is opened once
 * here, and all who have it open share that handle.
 */
import type { Backend } from "@bickford/session"
import { Errno } from "@bickford/session"
import { openFlags } from "@bickford/protocol"
import type { FsHandle, FsLike, FsStats, Maybe } from "./fs/FsLike.ts"
import { fromFs, type FromFsOptions } from "./fs/fromFs.ts"
import { chain, codeOf, isLater, recover } from "./fs/maybe.ts"
import { PathMap } from "./fs/PathMap.ts"

/** An open file of a provider: the methods of Node's `FileHandle`, with and without `Sync`. */
export interface VirtualHandle {
  /** As `node:fs` has it. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>
  /** As `node:fs` has it. */
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number
  ): Promise<{ readonly bytesWritten: number }>
  /** As `node:fs` has it. */
  stat(options?: { bigint?: boolean }): Promise<FsStats>
  /** As `node:fs` has it. */
  truncate(length?: number): Promise<void>
  /** As `node:fs` has it. */
  close(): Promise<void>
  /** As `node:fs` has it. */
  readSync?(buffer: Uint8Array, offset: number, length: number, position: number): number
  /** As `node:fs` has it. */
  writeSync?(buffer: Uint8Array, offset: number, length: number, position: number): number
  /** As `node:fs` has it. */
  statSync?(options?: { bigint?: boolean }): FsStats
  /** As `node:fs` has it. */
  truncateSync?(length?: number): void
  /** As `node:fs` has it. */
  closeSync?(): void
}

/** A provider, as `node:vfs` and `@platformatic/vfs` define it. */
export interface VirtualProvider {
  readonly readonly?: boolean
  readonly supportsSymlinks?: boolean
  readonly supportsWatch?: boolean
  /** As `node:fs` has it. */
  open(path: string, flags?: string, mode?: number): Promise<unknown>
  /** As `node:fs` has it. */
  stat(path: string, options?: { bigint?: boolean }): Promise<FsStats>
  /** As `node:fs` has it. */
  lstat(path: string, options?: { bigint?: boolean }): Promise<FsStats>
  /** As `node:fs` has it. */
  readdir(path: string): Promise<ReadonlyArray<unknown>>
  /** As `node:fs` has it. */
  readFile(path: string): Promise<string | Uint8Array>
  /** As `node:fs` has it. */
  mkdir(path: string, options?: { mode?: number }): Promise<unknown>
  /** As `node:fs` has it. */
  rmdir(path: string): Promise<unknown>
  /** As `node:fs` has it. */
  unlink(path: string): Promise<unknown>
  /** As `node:fs` has it. */
  rename(path: string, newPath: string): Promise<unknown>
  /** As `node:fs` has it. */
  readlink(path: string): Promise<string>
  /** As `node:fs` has it. */
  symlink(target: string, path: string): Promise<unknown>
  /** As `node:fs` has it. */
  openSync?(path: string, flags?: string, mode?: number): unknown
  /** As `node:fs` has it. */
  statSync?(path: string, options?: { bigint?: boolean }): FsStats
  /** As `node:fs` has it. */
  lstatSync?(path: string, options?: { bigint?: boolean }): FsStats
  /** As `node:fs` has it. */
  readdirSync?(path: string): ReadonlyArray<unknown>
  /** As `node:fs` has it. */
  mkdirSync?(path: string, options?: { mode?: number }): unknown
  /** As `node:fs` has it. */
  rmdirSync?(path: string): unknown
  /** As `node:fs` has it. */
  unlinkSync?(path: string): unknown
  /** As `node:fs` has it. */
  renameSync?(path: string, newPath: string): unknown
  /** As `node:fs` has it. */
  readlinkSync?(path: string): string
  /** As `node:fs` has it. */
  symlinkSync?(target: string, path: string): unknown
  /** As `node:fs` has it. */
  watchAsync?(
    path: string,
    options?: { recursive?: boolean; signal?: AbortSignal }
  ): AsyncIterable<{ readonly filename?: unknown }>
}

/** How a provider is mounted. */
export interface FromVfsOptions extends FromFsOptions {
  /**
   * `sync` calls the provider's synchronous methods, where it has them: right for what answers from memory, and faster. `async`,
   * the default, never holds the event loop up.
   */
  readonly calls?: "sync" | "async"
}

/** A handle that several openings share. */
interface Shared {
  readonly handle: VirtualHandle
  users: number
}

const { O_CREAT, O_EXCL } = openFlags

const isHandle = (value: unknown): value is VirtualHandle =>
  typeof value === "object" &&
  value !== null &&
  ["read", "write", "stat", "truncate", "close"].every((name) => typeof Reflect.get(value, name) === "function")

/** What a provider does not have is ENOSYS, not a fault. */
const known = <A>(call: () => Maybe<A>): Maybe<A> =>
  recover(call, (error) => {
    throw codeOf(error) === "ERR_METHOD_NOT_IMPLEMENTED" ? Errno.ENOSYS : error
  })

/** A handle by its synchronous methods, where it is to be and has them. */
const callsOf = (handle: VirtualHandle, sync: boolean): Omit<FsHandle, "close"> & { close: () => Maybe<unknown> } => {
  const { closeSync, readSync, statSync, truncateSync, writeSync } = handle
  return {
    read: (buffer, offset, length, position) =>
      sync && readSync !== undefined
        ? { bytesRead: readSync.call(handle, buffer, offset, length, position) }
        : handle.read(buffer, offset, length, position),
    write: (buffer, offset, length, position) =>
      sync && writeSync !== undefined
        ? { bytesWritten: writeSync.call(handle, buffer, offset, length, position) }
        : handle.write(buffer, offset, length, position),
    stat: () => (sync && statSync !== undefined ? statSync.call(handle) : handle.stat()),
    truncate: (length) =>
      sync && truncateSync !== undefined ? truncateSync.call(handle, length) : handle.truncate(length),
    close: () => (sync && closeSync !== undefined ? closeSync.call(handle) : handle.close())
  }
}

/** Opens files of a provider, each once. */
const sharedHandles = (provider: VirtualProvider, sync: boolean) => {
  const files = new PathMap<Maybe<Shared>>()
  const { openSync } = provider

  const openAs = (path: string, flags: string, mode?: number): Maybe<Shared> => {
    const opened = known(() =>
      sync && openSync !== undefined ? openSync.call(provider, path, flags, mode) : provider.open(path, flags, mode)
    )
    return chain(opened, (handle) => {
      if (!isHandle(handle)) throw new TypeError("the provider's open gave no handle")
      return { handle, users: 0 }
    })
  }

  /** For writing too, so that those who come later can share it; a file that may only be read is opened for that. */
  const openAny = (path: string): Maybe<Shared> => {
    if (provider.readonly === true) return openAs(path, "r")
    return recover(
      () => openAs(path, "r+"),
      (error) => {
        const code = codeOf(error)
        if (code === "EACCES" || code === "EROFS" || code === "EPERM" || code === "ETXTBSY") return openAs(path, "r")
        throw error
      }
    )
  }

  const use = (path: string, open: () => Maybe<Shared>): Maybe<FsHandle> => {
    const opened = files.get(path) ?? open()
    files.set(path, opened)
    const forget = (): void => {
      if (files.get(path) === opened) files.delete(path)
    }
    if (isLater(opened)) void opened.catch(forget)
    return chain(opened, (shared) => {
      shared.users++
      const calls = callsOf(shared.handle, sync)
      return {
        ...calls,
        close: () => {
          if (--shared.users > 0) return undefined
          files.deleteValue(opened)
          return calls.close()
        }
      }
    })
  }

  const isThere = (path: string): Maybe<boolean> =>
    recover(
      () =>
        chain(sync && provider.lstatSync !== undefined ? provider.lstatSync(path) : provider.lstat(path), () => true),
      (error) => {
        if (codeOf(error) === "ENOENT") return false
        throw error
      }
    )

  return {
    files,
    open: (path: string, flags: number, mode?: number): Maybe<FsHandle> => {
      if ((flags & O_CREAT) === 0) return use(path, () => openAny(path))
      // `w+` empties what is there, and providers know few flags.
      return chain(isThere(path), (there) => {
        if (there && (flags & O_EXCL) !== 0) throw Errno.EEXIST
        return use(path, () => (there ? openAny(path) : openAs(path, "w+", mode)))
      })
    }
  }
}

/** A provider in the shape of `node:fs/promises`. */
const fsOf = (provider: VirtualProvider, sync: boolean): FsLike => {
  const { files, open } = sharedHandles(provider, sync)
  const { watchAsync } = provider
  /** The synchronous method, if it is to be called and there. */
  const either =
    <Args extends Array<unknown>, A>(
      now: ((...args: Args) => A) | undefined,
      later: (...args: Args) => Promise<A>
    ): ((...args: Args) => Maybe<A>) =>
    (...args) =>
      known(() => (sync && now !== undefined ? now.call(provider, ...args) : later.call(provider, ...args)))
  const unlink = either(provider.unlinkSync, provider.unlink)
  const rename = either(provider.renameSync, provider.rename)
  return {
    stat: either(provider.statSync, provider.stat),
    lstat: either(provider.lstatSync, provider.lstat),
    readdir: either<[string], ReadonlyArray<unknown>>(provider.readdirSync, provider.readdir),
    readFile: (path) => provider.readFile(path),
    open,
    mkdir: either(provider.mkdirSync, provider.mkdir),
    rmdir: either(provider.rmdirSync, provider.rmdir),
    unlink: (path) => chain(unlink(path), () => files.delete(path)),
    rename: (path, newPath) => chain(rename(path, newPath), () => files.move(path, newPath)),
    ...(provider.supportsSymlinks === true && {
      symlink: either(provider.symlinkSync, provider.symlink),
      readlink: either(provider.readlinkSync, provider.readlink)
    }),
    ...(provider.supportsWatch === true &&
      watchAsync !== undefined && { watch: (path, options) => watchAsync.call(provider, path, options) })
  }
}

/**
 * Serves a provider of `node:vfs` or `@platformatic/vfs`. What providers have no methods for (permissions, owners, times) is
 * kept for the life of the mount; hard links are refused with EPERM.
 */
export const fromVfs = (provider: VirtualProvider, { calls = "async", ...options }: FromVfsOptions = {}): Backend =>
  fromFs(fsOf(provider, calls === "sync"), options)
