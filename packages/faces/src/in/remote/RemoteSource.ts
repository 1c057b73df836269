/** What a server of files is asked, and how it fails. */

/** One version of a file or directory. */
export interface RemoteStat {
  readonly directory: boolean
  /** Bytes; undefined where the server does not say. */
  readonly size: number | undefined
  /** Seconds since the epoch; undefined where the server does not say. */
  readonly mtime: number | undefined
  /** Permissions. */
  readonly mode?: number
  /** The same for the same bytes (an ETag, a date of change); undefined where the server tells none apart. */
  readonly version: string | undefined
}

/** A server of files, by path within the mount. Each call ends with an error soon after `signal` is aborted. */
export interface RemoteSource {
  /** For the log. */
  readonly name: string
  /** Undefined: there is nothing. */
  readonly stat: (path: string, signal: AbortSignal) => Promise<RemoteStat | undefined>
  /** The names in a directory. */
  readonly list: (path: string, signal: AbortSignal) => Promise<Iterable<string>>
  /**
   * Bytes `start` to `end` (exclusive) of that very version, all of them. Rejects with a `ChangedError` when the server has another
   * one by now.
   */
  readonly read: (
    path: string,
    stat: RemoteStat,
    start: number,
    end: number,
    signal: AbortSignal
  ) => Promise<Uint8Array>
  /** The whole file in one answer, piece by piece; for versions that cannot be told apart. */
  readonly whole: (path: string, signal: AbortSignal) => AsyncIterable<Uint8Array>
}

/** The server has another version than the one that was opened. */
export class ChangedError extends Error {
  override readonly name = "ChangedError"
  constructor(path: string) {
    super(`${path} has changed on the server since it was opened`)
  }
}
