/** `http`: the files of a web server, found by its index pages or by a manifest. */
import type { Backend } from "@bickford/session"
import { Errno } from "@bickford/session"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { indexEntries } from "./autoindex.ts"
import { type Manifest, readManifest } from "./manifest.ts"
import { RemoteError } from "./RemoteError.ts"
import { remoteBackend, type RemoteOptions } from "./remoteBackend.ts"
import { ChangedError, type RemoteSource, type RemoteStat } from "./RemoteSource.ts"
import { exactly, request, type Send, StatusError, textOf } from "./request.ts"

/** How a web server is mounted. */
export interface HttpOptions extends RemoteOptions {
  /** Sent with every request, as `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>
  /** After so many seconds without a byte an answer is given up, with EIO. Default 30. */
  readonly stallTimeout?: number
}

const mostIndexBytes = 64 << 20
/** Bytes as they are stored: a compressed answer has no ranges. */
const asStored = { "accept-encoding": "identity" }

const numberIn = (text: string | null): number | undefined =>
  text === null || !/^\d+$/.test(text) ? undefined : Number(text)

/** What a version is known by: a strong ETag, else the date of its last change together with its size. */
const versionOf = (headers: Headers, size: number | undefined): string | undefined => {
  const tag = headers.get("etag")
  if (tag !== null && !tag.startsWith("W/")) return tag
  const changed = headers.get("last-modified")
  return changed === null || size === undefined ? undefined : `${changed}, ${size} bytes`
}

const statOf = (headers: Headers): RemoteStat => {
  const size = numberIn(headers.get("content-length"))
  const changed = Date.parse(headers.get("last-modified") ?? "")
  return {
    directory: false,
    size,
    mtime: Number.isNaN(changed) ? undefined : changed / 1000,
    version: versionOf(headers, size)
  }
}

const directoryStat: RemoteStat = { directory: true, size: undefined, mtime: undefined, version: undefined }

/** Statuses that say that there is nothing. */
const isMissing = (status: number): boolean => status === 404 || status === 410

const refusal = (status: number, url: string): unknown =>
  status === 401 || status === 403 ? Errno.EACCES : new StatusError(status, url)

/** The version and size that an answer to a range is of. */
const sizeOfRange = (headers: Headers): number | undefined => {
  const [, total] = /^bytes \d+-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? []
  return total === undefined ? undefined : Number(total)
}

const conditions = ({ version = "" }: RemoteStat): Record<string, string> =>
  version.startsWith('"') ? { "if-match": version } : {}

/** Reads a range of one version. */
const readRange = async (
  ask: Ask,
  url: string,
  path: string,
  stat: RemoteStat,
  start: number,
  end: number,
  signal: AbortSignal
): Promise<Uint8Array> => {
  const headers = { range: `bytes=${start}-${end - 1}`, ...conditions(stat) }
  const answer = await ask(url, { headers }, signal)
  const { response } = answer
  const { status } = response
  const size = status === 206 ? sizeOfRange(response.headers) : numberIn(response.headers.get("content-length"))
  const same = size === stat.size && versionOf(response.headers, size) === stat.version
  if ((status === 206 || status === 200) && same)
    // Who knows no ranges gives everything.
    return exactly(answer, status === 206 ? 0 : start, end - start)
  await answer.cancel()
  if (status === 206 || status === 200 || status === 412 || status === 416 || isMissing(status))
    throw new ChangedError(path)
  throw refusal(status, url)
}

type Ask = (url: string, init: RequestInit, signal: AbortSignal) => ReturnType<typeof request>

/** Files below a URL that ends with a slash. */
const indexed = (base: URL, ask: Ask): Pick<RemoteSource, "stat" | "list"> => {
  const urlOf = (path: string): string => new URL(encodedPath(path), base).href
  const head = async (url: string, signal: AbortSignal) => {
    const answer = await ask(url, { method: "HEAD", redirect: "manual" }, signal)
    await answer.cancel()
    return answer.response
  }
  return {
    stat: async (path, signal) => {
      if (path === "/") return directoryStat
      const { headers, status } = await head(urlOf(path), signal)
      if (status >= 300 && status < 400)
        return (headers.get("location") ?? "").split("?")[0]?.endsWith("/") === true ? directoryStat : undefined
      if (isMissing(status)) {
        const asDirectory = await head(`${urlOf(path)}/`, signal)
        return asDirectory.ok ? directoryStat : undefined
      }
      if (status < 200 || status > 299) throw refusal(status, urlOf(path))
      return statOf(headers)
    },
    list: async (path, signal) => {
      const url = new URL(path === "/" ? base : `${urlOf(path)}/`)
      const answer = await ask(url.href, {}, signal)
      const { headers, status } = answer.response
      if (status !== 200) {
        await answer.cancel()
        throw isMissing(status) ? Errno.ENOENT : refusal(status, url.href)
      }
      const entries = indexEntries(await textOf(answer, mostIndexBytes), headers.get("content-type") ?? "", url)
      if (entries === undefined) throw new Error(`${url.href} is not an index`)
      return entries.map(({ name }) => name)
    }
  }
}

/** Files that a manifest names. */
const listedIn = (manifest: Manifest, base: URL, ask: Ask): Pick<RemoteSource, "stat" | "list"> => ({
  stat: async (path, signal) => {
    const at = path === "/" ? "" : path
    if (manifest.directories.has(at)) return directoryStat
    const file = manifest.files.get(path)
    if (file === undefined) return undefined
    const url = new URL(encodedPath(path), base).href
    const answer = await ask(url, { method: "HEAD" }, signal)
    await answer.cancel()
    const { headers, ok, status } = answer.response
    if (!ok) throw isMissing(status) ? Errno.ENOENT : refusal(status, url)
    const { mode, mtime } = file
    return { ...statOf(headers), ...(mtime !== undefined && { mtime }), ...(mode !== undefined && { mode }) }
  },
  list: (path) => Promise.resolve(manifest.directories.get(path === "/" ? "" : path) ?? [])
})

/** A path in a URL, relative to a directory. */
const encodedPath = (path: string): string => `./${path.slice(1).split("/").map(encodeURIComponent).join("/")}`

const failed = (url: string, error: unknown): RemoteError => {
  const reason =
    error === Errno.EACCES ? "the server refuses it" : error instanceof Error ? error.message : String(error)
  return new RemoteError({ message: `${url}: ${reason}` })
}

/** The files of a server, by what its first answer is: an index page or a manifest. */
const sourceAt = async (url: string, ask: Ask, signal: AbortSignal): Promise<RemoteSource> => {
  const answer = await ask(url, {}, signal)
  const { headers, ok, status, url: at } = answer.response
  if (!ok) {
    await answer.cancel()
    throw refusal(status, url)
  }
  const text = await textOf(answer, mostIndexBytes)
  const type = headers.get("content-type") ?? ""
  const [plain = ""] = (at === "" ? url : at).split(/[?#]/)
  const base = new URL(".", plain)
  const parts = plain.endsWith("/") ? indexed(base, ask) : listedIn(readManifest(text), base, ask)
  if (plain.endsWith("/") && indexEntries(text, type, base) === undefined) throw new Error("is not an index")
  const urlOf = (path: string): string => new URL(encodedPath(path), base).href
  return {
    name: url,
    ...parts,
    read: (path, stat, start, end, reading) => readRange(ask, urlOf(path), path, stat, start, end, reading),
    async *whole(path, reading) {
      const whole = await ask(urlOf(path), {}, reading)
      if (!whole.response.ok) {
        await whole.cancel()
        throw refusal(whole.response.status, urlOf(path))
      }
      yield* whole.pieces
    }
  }
}

/**
 * Serves the files of a web server, read-only. A URL that ends with a slash is a directory whose index page lists it (nginx, Apache, and
 * servers like them; also nginx's in JSON); any other is a manifest: `{ "files": [{ "path": "a/b" }] }`, with paths relative to it.
 *
 * A file that is open is of one version, by its ETag, else its date and size, else as it came when it was opened. Ranges are fetched
 * in pieces of 1 MiB, and kept in a cache on disk.
 */
export const http = (
  url: string,
  { headers = {}, stallTimeout = 30, ...options }: HttpOptions = {}
): Effect.Effect<Backend, RemoteError, Scope.Scope> => {
  const send: Send = (to, init) => fetch(to, init)
  const ask: Ask = (to, init, signal) =>
    request(
      send,
      to,
      { ...init, headers: { ...asStored, ...headers, ...(init.headers as Record<string, string> | undefined) } },
      stallTimeout * 1000,
      signal
    )
  return Effect.flatMap(
    Effect.tryPromise({ try: (signal) => sourceAt(url, ask, signal), catch: (error) => failed(url, error) }),
    (source) => remoteBackend(source, options)
  )
}
