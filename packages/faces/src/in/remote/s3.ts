/** `s3`: a bucket as directories, read and written. */
import { fileType, type PathCallbacks, PathFilesystem } from "@bickford/backends"
import { type Backend, Errno } from "@bickford/session"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { loaded } from "../archive/errors.ts"
import { Bucket, type BucketPlace } from "./Bucket.ts"
import type { DiskCache } from "./DiskCache.ts"
import { RemoteError } from "./RemoteError.ts"
import { type Pin, Pins } from "./pins.ts"
import { asking, attributesOf, diskCache, openRemote, readPinned, type RemoteOptions } from "./remoteBackend.ts"
import { ChangedError, type RemoteSource, type RemoteStat } from "./RemoteSource.ts"
import { exactly, StatusError } from "./request.ts"
import { Staged } from "./Staged.ts"

/** How a bucket is mounted. Keys and region default to the variables that Amazon's own programs read. */
export interface S3Options extends RemoteOptions {
  /** Default: AWS_ENDPOINT_URL, else Amazon's of the region. */
  readonly endpoint?: string
  /** Default: AWS_REGION, AWS_DEFAULT_REGION, else us-east-1. */
  readonly region?: string
  /** Default: AWS_ACCESS_KEY_ID. */
  readonly accessKeyId?: string
  /** Default: AWS_SECRET_ACCESS_KEY. */
  readonly secretAccessKey?: string
  /** Default: AWS_SESSION_TOKEN. */
  readonly sessionToken?: string
  /** After so many seconds without a byte an answer is given up, with EIO. Default 30. */
  readonly stallTimeout?: number
}

/** A file that is open: for reading alone, or staged. */
type OpenObject = { readonly pin: Pin } | { readonly staged: Staged }

const accessMode = 3
const filePermissions = 0o644
const directoryPermissions = 0o755
const pageSize = 1000
/** What a signal that ends the caller stops; an upload, and a change of names, then goes on without it. */
const interruptible = {
  open: "fatal",
  opendir: "fatal",
  flush: "fatal",
  fsync: "fatal",
  setattr: "fatal",
  mkdir: "fatal",
  unlink: "fatal",
  rmdir: "fatal",
  rename: "fatal"
} as const
/** Nobody stops what has to be finished. */
const unstopped = (): AbortSignal => new AbortController().signal
const now = (): number => Date.now() / 1000

/** As `asking`, of what goes on when its caller is killed, who does not wait: who hears of a failure is then the log alone. */
const toItsEnd = (source: RemoteSource, path: string, body: () => Promise<void>) =>
  Effect.suspend(() => {
    const doing = body()
    const ended = asking(source, path, () => doing)
    return Effect.onInterrupt(ended, () => Effect.forkDetach(Effect.ignore(ended)))
  })

const statOf = (headers: Headers): RemoteStat => ({
  directory: false,
  size: Number(headers.get("content-length") ?? 0),
  mtime: Date.parse(headers.get("last-modified") ?? "") / 1000,
  mode: filePermissions,
  version: headers.get("etag") ?? undefined
})

const directoryStat: RemoteStat = {
  directory: true,
  size: undefined,
  mtime: undefined,
  mode: directoryPermissions,
  version: undefined
}

/** The bucket as a server of files. */
const bucketSource = (
  bucket: Bucket,
  name: string,
  prefix: string
): RemoteSource & { readonly keyOf: (path: string) => string } => {
  const keyOf = (path: string): string => prefix + path.slice(1)
  const below = (path: string): string => (path === "/" ? prefix : `${keyOf(path)}/`)
  const get = async (path: string, headers: Record<string, string>, signal: AbortSignal) => {
    const answer = await bucket.ask(keyOf(path), { headers }, signal)
    const { status } = answer.response
    if (status === 200 || status === 206) return answer
    await answer.cancel()
    if (status === 412 || status === 404 || status === 416) throw new ChangedError(path)
    throw new StatusError(status, path)
  }
  return {
    name,
    keyOf,
    stat: async (path, signal) => {
      if (path === "/") return directoryStat
      const answer = await bucket.ask(keyOf(path), { method: "HEAD" }, signal)
      await answer.cancel()
      const { headers, ok, status } = answer.response
      if (ok) return statOf(headers)
      if (status === 401 || status === 403) throw Errno.EACCES
      if (status !== 404) throw new StatusError(status, path)
      const { objects, prefixes } = await bucket.list(below(path), 1, undefined, signal)
      return objects.length + prefixes.length > 0 ? directoryStat : undefined
    },
    list: async (path, signal) => {
      const from = below(path)
      const names: Array<string> = []
      let next: string | undefined
      do {
        const page = await bucket.list(from, pageSize, next, signal)
        for (const { key } of page.objects) names.push(key.slice(from.length))
        for (const one of page.prefixes) names.push(one.slice(from.length, -1))
        ;({ next } = page)
      } while (next !== undefined)
      // A directory's own marker has no name; a key may have what no path can.
      return new Set(names.filter((one) => one !== "" && one !== "." && one !== ".." && !/[/\0]/.test(one)))
    },
    read: async (path, { size, version = "" }, start, end, signal) => {
      const answer = await get(path, { range: `bytes=${start}-${end - 1}`, "if-match": version }, signal)
      const { headers, status } = answer.response
      if (headers.get("etag") !== version) {
        await answer.cancel()
        throw new ChangedError(path)
      }
      if (status === 200 && Number(headers.get("content-length")) !== size) throw new ChangedError(path)
      return exactly(answer, status === 206 ? 0 : start, end - start)
    },
    async *whole(path, signal) {
      yield* (await get(path, {}, signal)).pieces
    }
  }
}

/** What is open for writing, by path. */
class Staging {
  readonly #staged = new Map<string, Staged>()

  get(path: string): Staged | undefined {
    return this.#staged.get(path)
  }

  use(staged: Staged): OpenObject {
    staged.users++
    this.#staged.set(staged.path, staged)
    return { staged }
  }

  move(path: string, to: string): void {
    const staged = this.#staged.get(path)
    this.#staged.delete(path)
    if (staged === undefined) return
    staged.path = to
    this.#staged.set(to, staged)
  }

  delete(path: string): void {
    this.#staged.delete(path)
  }

  async release(staged: Staged): Promise<void> {
    if (--staged.users > 0) return
    if (this.#staged.get(staged.path) === staged) this.#staged.delete(staged.path)
    await staged.close()
  }

  /** The names in a directory that the server may not know yet. */
  namesIn(directory: string): ReadonlyArray<string> {
    const above = directory === "/" ? "/" : `${directory}/`
    return Array.from(this.#staged.keys()).flatMap((path) =>
      path.startsWith(above) && !path.includes("/", above.length) ? [path.slice(above.length)] : []
    )
  }
}

/** What all callbacks need. */
interface Served {
  readonly bucket: Bucket
  readonly bucketName: string
  readonly source: ReturnType<typeof bucketSource>
  readonly cache: DiskCache
  readonly pins: Pins
  readonly staging: Staging
}

/** Opening, reading and writing. */
const fileCallbacks = ({
  bucket,
  cache,
  pins,
  source,
  staging
}: Served): Pick<
  PathCallbacks<OpenObject>,
  "open" | "create" | "read" | "write" | "truncate" | "ftruncate" | "flush" | "fsync" | "release"
> => {
  const stage = async (path: string, signal: AbortSignal): Promise<Staged> => {
    const known = staging.get(path)
    if (known !== undefined) return known
    const stat = await source.stat(path, signal)
    if (stat === undefined) throw Errno.ENOENT
    return new Staged(path, stat.mtime ?? now(), stat.size ?? 0, () => source.whole(path, unstopped()))
  }
  const put = (staged: Staged, path: string): Promise<void> =>
    staged.upload((size, read) => bucket.put(source.keyOf(path), size, read, unstopped()))
  const upload = (file: OpenObject, path: string | undefined) =>
    "pin" in file || path === undefined ? Effect.void : toItsEnd(source, path, () => put(file.staged, path))
  return {
    open: (path, flags) =>
      asking(source, path, async (signal): Promise<OpenObject> => {
        const staged = staging.get(path)
        if (staged !== undefined) return staging.use(staged)
        if ((flags & accessMode) === 0) return { pin: await openRemote(source, pins, path, signal) }
        return staging.use(await stage(path, signal))
      }),
    create: (path) => staging.use(new Staged(path, now(), 0)),
    read: (file, size, offset, path) =>
      asking(source, path ?? "a removed file", (signal) =>
        "staged" in file
          ? file.staged.read(size, Number(offset))
          : readPinned(source, cache, file.pin, size, Number(offset), signal)
      ),
    write: (file, data, offset, path) => {
      if ("pin" in file) return Errno.EBADF
      return asking(source, path ?? "a removed file", () => file.staged.write(data.slice(), Number(offset)))
    },
    truncate: (path, size) =>
      toItsEnd(source, path, async () => {
        const staged = await stage(path, unstopped())
        await staged.truncate(Number(size))
        if (staged.users > 0) return
        await put(staged, path)
        await staged.close()
      }),
    ftruncate: (file, size) =>
      "pin" in file ? Errno.EBADF : asking(source, "a removed file", () => file.staged.truncate(Number(size))),
    flush: upload,
    fsync: upload,
    release: (file) => Effect.promise(() => ("pin" in file ? pins.release(file.pin) : staging.release(file.staged)))
  }
}

/** Names: made, moved, removed. */
const nameCallbacks = ({
  bucket,
  bucketName,
  source,
  staging
}: Served): Pick<PathCallbacks<OpenObject>, "unlink" | "mkdir" | "rmdir" | "rename"> => ({
  unlink: (path) =>
    asking(source, path, async (signal) => {
      staging.delete(path)
      await bucket.remove(source.keyOf(path), signal)
    }),
  // A directory is an empty object whose key ends with a slash, as Amazon's console makes them.
  mkdir: (path) =>
    asking(source, path, (signal) =>
      bucket.put(`${source.keyOf(path)}/`, 0, () => Promise.resolve(new Uint8Array(0)), signal)
    ),
  rmdir: (path) =>
    asking(source, path, async (signal) => {
      for (const _ of await source.list(path, signal)) throw Errno.ENOTEMPTY
      await bucket.remove(`${source.keyOf(path)}/`, signal)
    }),
  rename: (path, to) =>
    asking(source, path, async (signal) => {
      const stat = await source.stat(path, signal)
      // An object at a time: mv(1) then copies by itself.
      if (stat?.directory === true) throw Errno.EXDEV
      staging.move(path, to)
      if (stat === undefined) return
      await bucket.copy(source.keyOf(path), source.keyOf(to), bucketName, signal)
      await bucket.remove(source.keyOf(path), signal)
    })
})

const callbacksOf = (served: Served): PathCallbacks<OpenObject> => {
  const { pins, source, staging } = served
  return {
    getattr: (path) => {
      const staged = staging.get(path)
      if (staged !== undefined)
        return { mode: fileType.reg | filePermissions, size: staged.size, mtime: staged.mtime, ctime: staged.mtime }
      const pin = pins.get(path)
      if (pin !== undefined) return attributesOf(pin.stat)
      return asking(source, path, async (signal) => {
        const stat = await source.stat(path, signal)
        return stat === undefined ? false : attributesOf(stat)
      })
    },
    fgetattr: (file) =>
      "staged" in file
        ? { mode: fileType.reg | filePermissions, size: file.staged.size, mtime: file.staged.mtime, nlink: 0 }
        : { ...attributesOf(file.pin.stat), nlink: 0 },
    readdir: (path) =>
      asking(source, path, async (signal) => new Set([...(await source.list(path, signal)), ...staging.namesIn(path)])),
    ...fileCallbacks(served),
    ...nameCallbacks(served)
  }
}

const variable = (name: string): string | undefined => {
  const value = process.env[name]
  return value === "" ? undefined : value
}

/** Where and by what keys; undefined keys are said to be missing. */
const settings = (options: S3Options) => {
  const region = options.region ?? variable("AWS_REGION") ?? variable("AWS_DEFAULT_REGION") ?? "us-east-1"
  const accessKeyId = options.accessKeyId ?? variable("AWS_ACCESS_KEY_ID")
  const secretAccessKey = options.secretAccessKey ?? variable("AWS_SECRET_ACCESS_KEY")
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new Error("needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment")
  const sessionToken = options.sessionToken ?? variable("AWS_SESSION_TOKEN")
  const endpoint = options.endpoint ?? variable("AWS_ENDPOINT_URL") ?? `https://s3.${region}.amazonaws.com`
  return {
    endpoint: endpoint.replace(/\/+$/, ""),
    keys: {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken !== undefined && { sessionToken }),
      region,
      service: "s3",
      // The caller knows better than a library whether to try again.
      retries: 0
    }
  }
}

const reasonOf = (error: unknown): string => {
  if (error === Errno.ENOENT) return "there is no such bucket"
  if (error === Errno.EACCES) return "the server refuses the keys"
  return error instanceof Error ? error.message : String(error)
}

/**
 * Serves a bucket of S3, or what speaks its protocol: `NAME`, or `NAME/PREFIX` for the keys below a prefix. Keys are cut into directories
 * at their slashes. Files are read by ranges, pinned to their ETag, and cached on disk; what is written is kept on disk until it is closed
 * or synced, and then uploaded, in parts of 8 MiB where it is larger. Renaming a directory is EXDEV; permissions and owners are not
 * kept. Needs the package `aws4fetch`.
 */
export const s3 = (place: string, options: S3Options = {}): Effect.Effect<Backend, RemoteError, Scope.Scope> => {
  const [name = "", ...rest] = place.split("/")
  const prefix = rest
    .filter((part) => part !== "")
    .map((part) => `${part}/`)
    .join("")
  const failed = (error: unknown): RemoteError => new RemoteError({ message: `${place}: ${reasonOf(error)}` })
  const opened = Effect.tryPromise({
    try: async (signal) => {
      const { AwsClient } = await loaded("aws4fetch", () => import("aws4fetch"))
      const { endpoint, keys } = settings(options)
      const at: BucketPlace = { endpoint, bucket: name }
      const bucket = new Bucket(new AwsClient(keys), at, (options.stallTimeout ?? 30) * 1000)
      await bucket.list(prefix, 1, undefined, signal)
      return bucket
    },
    catch: failed
  })
  return Effect.gen(function* () {
    const bucket = yield* opened
    const cache = yield* diskCache(options.cacheSize, options.cacheFolder)
    const source = bucketSource(bucket, `s3:${place}`, prefix)
    const { attrTimeout = 1 } = options
    const served = { bucket, bucketName: name, source, cache, pins: new Pins(), staging: new Staging() }
    return PathFilesystem.make(callbacksOf(served), { entryTimeout: attrTimeout, attrTimeout, interruptible })
  })
}
