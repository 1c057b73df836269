/** A filesystem in the shape of `node:fs/promises`. */
import { openFlags } from "@bickford/protocol"
import * as Effect from "effect/Effect"
import { constants } from "node:fs"
import {
  bytesOf,
  type EncodingOptions,
  encodingOf,
  flagsOf,
  modeOf,
  type PathLike,
  pathOf,
  type TimeLike
} from "./arguments.ts"
import { runUntil } from "./aborting.ts"
import { FaceFileHandle, HandleCalls } from "./FaceFileHandle.ts"
import { makeTemporary } from "./makeTemporary.ts"
import { nodeCalls, type NodeCalls } from "./NodeCalls.ts"
import type { Shared } from "./share.ts"
import { FaceBigIntStats, type FaceDirent, FaceStats } from "./stats.ts"
import { watchPath, type WatchEvent, type WatchOptions } from "./watch.ts"

const { O_APPEND } = openFlags
const fileMode = 0o666
const directoryMode = 0o777

/** What `writeFile` and `appendFile` take. */
export type WriteFileOptions =
  | BufferEncoding
  | {
      readonly encoding?: BufferEncoding | null
      readonly mode?: number | string
      readonly flag?: string | number
      readonly signal?: AbortSignal
    }
  | null

const run = Effect.runPromise

const writing = (data: Uint8Array | string, options: WriteFileOptions | undefined, flag: string) => {
  const given = typeof options === "object" && options !== null ? options : {}
  return {
    bytes: bytesOf(data, encodingOf(options)),
    flags: flagsOf(given.flag ?? flag),
    mode: modeOf(given.mode ?? fileMode),
    signal: given.signal
  }
}

/** Names as a listing's options want them. */
const named = (names: ReadonlyArray<string>, options: EncodingOptions): Array<string> | Array<Buffer> => {
  const encoding = typeof options === "string" ? options : options?.encoding
  if (encoding === "buffer") return names.map((name) => Buffer.from(name))
  return encoding === null || encoding === undefined || encoding === "utf8" || encoding === "utf-8"
    ? [...names]
    : names.map((name) => Buffer.from(name).toString(encoding))
}

/** An open directory, as `fs.Dir`. */
export class FaceDir implements AsyncIterable<FaceDirent> {
  readonly path: string
  readonly #entries: ReadonlyArray<FaceDirent>
  #next = 0

  constructor(path: string, entries: ReadonlyArray<FaceDirent>) {
    this.path = path
    this.#entries = entries
  }

  /** The next entry, null at the end. */
  async read(): Promise<FaceDirent | null> {
    return this.#entries[this.#next++] ?? null
  }

  /** Ends it. */
  async close(): Promise<void> {
    this.#next = this.#entries.length
  }

  /** The entries that are left. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FaceDirent, void, undefined> {
    for (;;) {
      const entry = await this.read()
      if (entry === null) return
      yield entry
    }
  }
}

/** Attributes, and where links lead. */
const lookingCalls = (calls: NodeCalls) => {
  /** As `node:fs/promises` has it. */
  function stat(path: PathLike, options?: { readonly bigint?: false }): Promise<FaceStats>
  /** As `node:fs` has it. */
  function stat(path: PathLike, options: { readonly bigint: true }): Promise<FaceBigIntStats>
  async function stat(path: PathLike, options?: { readonly bigint?: boolean }) {
    const attr = await run(calls.stat(path))
    return options?.bigint === true ? new FaceBigIntStats(attr) : new FaceStats(attr)
  }

  /** As `node:fs` has it. */
  function lstat(path: PathLike, options?: { readonly bigint?: false }): Promise<FaceStats>
  /** As `node:fs` has it. */
  function lstat(path: PathLike, options: { readonly bigint: true }): Promise<FaceBigIntStats>
  async function lstat(path: PathLike, options?: { readonly bigint?: boolean }) {
    const attr = await run(calls.lstat(path))
    return options?.bigint === true ? new FaceBigIntStats(attr) : new FaceStats(attr)
  }

  /** As `node:fs` has it. */
  function readlink(
    path: PathLike,
    options?: BufferEncoding | { readonly encoding?: BufferEncoding | null } | null
  ): Promise<string>
  /** As `node:fs` has it. */
  function readlink(path: PathLike, options: "buffer" | { readonly encoding: "buffer" }): Promise<Buffer>
  async function readlink(path: PathLike, options?: EncodingOptions): Promise<string | Buffer> {
    const target = await run(calls.readlink(path))
    const encoding = typeof options === "string" ? options : options?.encoding
    return encoding === "buffer" ? target : target.toString(encoding ?? "utf8")
  }

  return {
    /** As `node:fs/promises` has it. */
    stat,
    /** As `node:fs/promises` has it. */
    lstat,
    /** As `node:fs/promises` has it. */
    readlink
  }
}

/** Files and directories, read whole. */
const readingCalls = (calls: NodeCalls) => {
  /** As `node:fs` has it. */
  function readFile(
    path: PathLike,
    options?:
      | { readonly encoding?: null | "buffer"; readonly flag?: string | number; readonly signal?: AbortSignal }
      | "buffer"
      | null
  ): Promise<Buffer>
  /** As `node:fs` has it. */
  function readFile(
    path: PathLike,
    options:
      | BufferEncoding
      | { readonly encoding: BufferEncoding; readonly flag?: string | number; readonly signal?: AbortSignal }
  ): Promise<string>
  async function readFile(
    path: PathLike,
    options?:
      | BufferEncoding
      | "buffer"
      | {
          readonly encoding?: BufferEncoding | "buffer" | null
          readonly flag?: string | number
          readonly signal?: AbortSignal
        }
      | null
  ): Promise<Buffer | string> {
    const { flag, signal } = typeof options === "object" && options !== null ? options : {}
    const bytes = await runUntil(calls.readFile(path, flagsOf(flag ?? "r")), signal)
    const encoding = encodingOf(options)
    return encoding === undefined ? bytes : bytes.toString(encoding)
  }

  /** As `node:fs` has it. */
  function readdir(
    path: PathLike,
    options?:
      | BufferEncoding
      | { readonly encoding?: BufferEncoding | null; readonly withFileTypes?: false; readonly recursive?: boolean }
      | null
  ): Promise<Array<string>>
  /** As `node:fs` has it. */
  function readdir(path: PathLike, options: "buffer" | { readonly encoding: "buffer" }): Promise<Array<Buffer>>
  /** As `node:fs` has it. */
  function readdir(
    path: PathLike,
    options: { readonly withFileTypes: true; readonly recursive?: boolean }
  ): Promise<Array<FaceDirent>>
  async function readdir(
    path: PathLike,
    options?:
      | BufferEncoding
      | "buffer"
      | {
          readonly encoding?: BufferEncoding | "buffer" | null
          readonly withFileTypes?: boolean
          readonly recursive?: boolean
        }
      | null
  ): Promise<Array<string> | Array<Buffer> | Array<FaceDirent>> {
    const given = typeof options === "object" && options !== null ? options : {}
    const entries = await run(given.recursive === true ? calls.readdirDeep(path) : calls.readdir(path))
    if (given.withFileTypes === true) return [...entries]
    const above = pathOf(path).length
    const names = entries.map(({ name, parentPath }) =>
      parentPath.length === above ? name : `${parentPath.slice(above).replace(/^\//, "")}/${name}`
    )
    return named(names, options)
  }

  return {
    /** As `node:fs/promises` has it. */
    readFile,
    /** As `node:fs/promises` has it. */
    readdir
  }
}

/** Files and directories, made and written. */
const writingCalls = (calls: NodeCalls) => {
  /** As `node:fs` has it. */
  function mkdir(
    path: PathLike,
    options: { readonly recursive: true; readonly mode?: number | string }
  ): Promise<string | undefined>
  /** As `node:fs` has it. */
  function mkdir(
    path: PathLike,
    options?: number | string | { readonly recursive?: boolean; readonly mode?: number | string } | null
  ): Promise<string | undefined>
  async function mkdir(
    path: PathLike,
    options?: number | string | { readonly recursive?: boolean; readonly mode?: number | string } | null
  ): Promise<string | undefined> {
    const { mode = directoryMode, recursive = false } =
      typeof options === "object" && options !== null ? options : { mode: options ?? directoryMode }
    if (recursive) return run(calls.mkdirs(path, modeOf(mode)))
    await run(calls.mkdir(path, modeOf(mode)))
    return undefined
  }

  return {
    /** As `node:fs` has it. */
    mkdir,
    /** As `node:fs` has it. */
    writeFile: (path: PathLike, data: Uint8Array | string, options?: WriteFileOptions): Promise<void> => {
      const { bytes, flags, mode, signal } = writing(data, options, "w")
      return runUntil(calls.writeFile(path, bytes, flags, mode), signal)
    },
    /** As `node:fs` has it. */
    appendFile: (path: PathLike, data: Uint8Array | string, options?: WriteFileOptions): Promise<void> => {
      const { bytes, flags, mode, signal } = writing(data, options, "a")
      return runUntil(calls.writeFile(path, bytes, flags, mode), signal)
    }
  }
}

/**
 * The filesystem as `node:fs/promises` has it: the same calls, options and errors, by absolute path within the filesystem.
 * Where it differs: file handles have no `fd` and no streams, and there is no `glob` and `cp`.
 */
export const toFs = (shared: Shared) => {
  const calls = nodeCalls(shared.calls)
  return {
    constants,
    ...lookingCalls(calls),
    ...readingCalls(calls),
    ...writingCalls(calls),
    /** As `node:fs` has it. */
    open: async (path: PathLike, flags: string | number = "r", mode: number | string = fileMode) => {
      const numbers = flagsOf(flags)
      const handle = await run(calls.open(path, numbers, modeOf(mode)))
      return new FaceFileHandle(new HandleCalls(handle, (numbers & O_APPEND) !== 0))
    },
    /** As `node:fs` has it. */
    opendir: async (path: PathLike): Promise<FaceDir> => new FaceDir(pathOf(path), await run(calls.readdir(path))),
    /** As `node:fs` has it. */
    access: (path: PathLike, mode = constants.F_OK): Promise<void> => run(calls.access(path, mode)),
    /** As `node:fs` has it. */
    realpath: (path: PathLike): Promise<string> => run(calls.realpath(path)),
    /** As `node:fs` has it. */
    mkdtemp: (prefix: string): Promise<string> => run(makeTemporary(calls, prefix)),
    /** As `node:fs` has it. */
    rmdir: (path: PathLike): Promise<void> => run(calls.rmdir(path)),
    /** As `node:fs` has it. */
    unlink: (path: PathLike): Promise<void> => run(calls.unlink(path)),
    /** As `node:fs` has it. */
    rm: (path: PathLike, options: { readonly recursive?: boolean; readonly force?: boolean } = {}): Promise<void> =>
      run(calls.rm(path, options)),
    /** As `node:fs` has it. */
    rename: (path: PathLike, newPath: PathLike): Promise<void> => run(calls.rename(path, newPath)),
    /** As `node:fs` has it. */
    link: (path: PathLike, newPath: PathLike): Promise<void> => run(calls.link(path, newPath)),
    /** `type` is for Windows. */
    symlink: (target: PathLike, path: PathLike, _type?: string | null): Promise<void> =>
      run(calls.symlink(target, path)),
    /** As `node:fs` has it. */
    copyFile: (from: PathLike, to: PathLike, mode?: number): Promise<void> => run(calls.copyFile(from, to, mode)),
    /** As `node:fs` has it. */
    truncate: (path: PathLike, length = 0): Promise<void> => run(calls.truncate(path, length)),
    /** As `node:fs` has it. */
    chmod: (path: PathLike, mode: number | string): Promise<void> => run(calls.chmod(path, mode)),
    /** As `node:fs` has it. */
    chown: (path: PathLike, uid: number, gid: number): Promise<void> => run(calls.chown(path, uid, gid)),
    /** As `node:fs` has it. */
    lchown: (path: PathLike, uid: number, gid: number): Promise<void> => run(calls.chown(path, uid, gid, false)),
    /** As `node:fs` has it. */
    utimes: (path: PathLike, atime: TimeLike, mtime: TimeLike): Promise<void> => run(calls.utimes(path, atime, mtime)),
    /** As `node:fs` has it. */
    lutimes: (path: PathLike, atime: TimeLike, mtime: TimeLike): Promise<void> =>
      run(calls.utimes(path, atime, mtime, false)),
    /** As `node:fs/promises` has it: what the mount, and any face, changes from the first `next` on. */
    watch: (path: PathLike, options?: WatchOptions | BufferEncoding): AsyncGenerator<WatchEvent, void, undefined> =>
      watchPath(shared, calls, path, typeof options === "string" ? { encoding: options } : options),
    /** As `node:fs` has it. */
    statfs: (path: PathLike) => run(calls.statfs(path))
  }
}

/** What `toFs` makes. */
export type FaceFs = ReturnType<typeof toFs>
