/** Mounts a server of files, read-only: pieces are fetched as they are read, and kept on disk. */
import { fileType, type PathAttributes, PathFilesystem } from "@bickford/backends"
import { type Backend, Errno, type ErrnoError, errnoOf } from "@bickford/session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { DiskCache } from "./DiskCache.ts"
import { type Pin, Pins } from "./pins.ts"
import { ChangedError, type RemoteSource, type RemoteStat } from "./RemoteSource.ts"
import { takeSnapshot } from "./snapshot.ts"

/** How a server's files are mounted. */
export interface RemoteOptions {
  /** Bytes of the cache on disk. Default 1 GiB. */
  readonly cacheSize?: number
  /** The directory that the cache is made in. Default: the system's for temporary files. */
  readonly cacheFolder?: string
  /** For how many seconds names and attributes are taken for right without asking the server. Default 1. */
  readonly attrTimeout?: number
}

/** Bytes that are fetched at a time. */
const pieceSize = 1 << 20
const defaultCache = 1 << 30
const readable = 0o444
const searchable = 0o555
const accessMode = 3

/** A version's attributes. */
export const attributesOf = ({ directory, mode, mtime, size }: RemoteStat): PathAttributes => ({
  mode: directory ? fileType.dir | (mode ?? searchable) : fileType.reg | (mode ?? readable),
  ...(size !== undefined && { size }),
  ...(mtime !== undefined && { mtime, atime: mtime, ctime: mtime })
})

/** Runs what asks the server. What it rejects with is an errno, or EIO and a line in the log. */
export const asking = <A>(
  { name }: RemoteSource,
  path: string,
  body: (signal: AbortSignal) => Promise<A>
): Effect.Effect<A, ErrnoError> =>
  Effect.catch(Effect.tryPromise({ try: body, catch: (error) => error }), (error): Effect.Effect<never, ErrnoError> => {
    const errno = Exit.isExit(error) ? errnoOf(error) : undefined
    if (errno !== undefined) return Effect.fail(errno)
    const reason = error instanceof Error ? error.message : String(error)
    return Effect.andThen(Effect.logError(`${name}: ${path}: ${reason}`), Errno.EIO)
  })

/** Opens the version that the server has, or the one that others have open. */
export const openRemote = async (source: RemoteSource, pins: Pins, path: string, signal: AbortSignal): Promise<Pin> => {
  const known = pins.get(path)
  if (known?.outdated === true) throw Errno.ESTALE
  if (known !== undefined) return pins.use(known)
  const stat = await source.stat(path, signal)
  if (stat === undefined) throw Errno.ENOENT
  const snapshot =
    stat.version === undefined || stat.size === undefined ? await takeSnapshot(source.whole(path, signal)) : undefined
  if (signal.aborted) {
    await snapshot?.close()
    signal.throwIfAborted()
  }
  // Somebody else may have opened it meanwhile.
  const meanwhile = pins.get(path)
  if (meanwhile !== undefined) {
    await snapshot?.close()
    return pins.use(meanwhile)
  }
  const seen = snapshot === undefined ? stat : { ...stat, size: snapshot.size }
  return pins.use({ path, stat: seen, users: 0, outdated: false, ...(snapshot && { snapshot }) })
}

/** Reads from a file that is open. */
export const readPinned = async (
  source: RemoteSource,
  cache: DiskCache,
  pin: Pin,
  size: number,
  offset: number,
  signal: AbortSignal
): Promise<Uint8Array> => {
  const { outdated, path, snapshot, stat } = pin
  if (snapshot !== undefined) return snapshot.read(offset, size)
  if (outdated) throw Errno.ESTALE
  const end = Math.min(offset + size, stat.size ?? 0)
  const parts: Array<Uint8Array> = []
  for (let at = offset; at < end;) {
    const start = at - (at % pieceSize)
    const piece = await cache
      .get(`${source.name}\0${path}\0${stat.version}\0${start}`, signal, (fetching) =>
        source.read(path, stat, start, Math.min(start + pieceSize, stat.size ?? 0), fetching)
      )
      .catch((error: unknown) => {
        if (error instanceof ChangedError) pin.outdated = true
        throw error
      })
    const part = piece.subarray(at - start, end - start)
    if (part.length === 0) throw new Error("the server gave too little")
    parts.push(part)
    at += part.length
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
}

/** A cache for the life of a scope. */
export const diskCache = (size = defaultCache, folder?: string): Effect.Effect<DiskCache, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => DiskCache.make(size, folder)),
    (cache) => Effect.promise(() => cache.close())
  )

/**
 * Serves what `source` asks for. A file that is open is of one version: the server's having another one by then is an error (EIO, then
 * ESTALE), never a mixture. What waits for the server ends with its caller.
 */
export const remoteBackend = (
  source: RemoteSource,
  { attrTimeout = 1, cacheFolder, cacheSize }: RemoteOptions = {}
): Effect.Effect<Backend, never, Scope.Scope> =>
  Effect.map(diskCache(cacheSize, cacheFolder), (cache) => {
    const pins = new Pins()
    return PathFilesystem.make<Pin>(
      {
        getattr: (path) => {
          const pin = pins.get(path)
          if (pin !== undefined) return attributesOf(pin.stat)
          return asking(source, path, async (signal) => {
            const stat = await source.stat(path, signal)
            return stat === undefined ? false : attributesOf(stat)
          })
        },
        readdir: (path) => asking(source, path, (signal) => source.list(path, signal)),
        open: (path, flags) =>
          (flags & accessMode) === 0
            ? asking(source, path, (signal) => openRemote(source, pins, path, signal))
            : Errno.EROFS,
        read: (pin, size, offset, path) =>
          asking(source, path ?? pin.path, (signal) => readPinned(source, cache, pin, size, Number(offset), signal)),
        release: (pin) => Effect.promise(() => pins.release(pin))
      },
      { entryTimeout: attrTimeout, attrTimeout, interruptible: { open: "fatal", opendir: "fatal" } }
    )
  })
