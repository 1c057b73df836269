/** Open files in the shape of `FileHandle` of `node:fs/promises`. */
import type { Attr } from "@bickford/protocol"
import { Errno, type ErrnoError } from "@bickford/session"
import * as Effect from "effect/Effect"
import { bytesOf, type EncodingOptions, encodingOf, modeOf, type TimeLike, timeOf } from "./arguments.ts"
import { type Handle, readRest } from "./NodeCalls.ts"
import { NodeError } from "./NodeError.ts"
import { FaceBigIntStats, FaceStats } from "./stats.ts"

/** Where to read into, and how much. */
export interface ReadOptions {
  readonly buffer?: Uint8Array
  readonly offset?: number
  readonly length?: number
  readonly position?: number | bigint | null
}

/** The calls on an open file as Effects; its position is kept here. */
export class HandleCalls {
  readonly #handle: Handle
  readonly #appends: boolean
  /** Where reads and writes without a position of their own begin. */
  position = 0
  #closed = false

  constructor(handle: Handle, appends: boolean) {
    this.#handle = handle
    this.#appends = appends
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed
  }

  /** Runs a call unless the file is closed (EBADF). */
  #call<A>(syscall: string, body: (handle: Handle) => Effect.Effect<A, ErrnoError>): Effect.Effect<A, NodeError> {
    return Effect.mapError(
      Effect.suspend((): Effect.Effect<A, ErrnoError> => (this.#closed ? Errno.EBADF : body(this.#handle))),
      (error) => new NodeError(error, syscall)
    )
  }

  /** Fills `into`; without a position from the file's own on, which moves. */
  read(into: Uint8Array, position: number | bigint | null | undefined): Effect.Effect<number, NodeError> {
    const own = position === null || position === undefined || position === -1
    const at = own ? this.position : Number(position)
    return Effect.map(
      this.#call("read", (handle) => handle.read(at, into.length)),
      (bytes) => {
        into.set(bytes)
        if (own) this.position = at + bytes.length
        return bytes.length
      }
    )
  }

  /** Writes all of `bytes`; without a position at the file's own, which moves. */
  write(bytes: Uint8Array, position: number | null | undefined): Effect.Effect<number, NodeError> {
    const own = typeof position !== "number"
    const at = own ? this.position : position
    return Effect.map(
      this.#call("write", (handle) => handle.write(at, bytes)),
      () => {
        if (own) this.position = at + bytes.length
        return bytes.length
      }
    )
  }

  /** What is left from the file's position on. */
  readFile(): Effect.Effect<Buffer, NodeError> {
    return Effect.map(
      this.#call("read", (handle) => readRest(handle, this.position)),
      (bytes) => {
        this.position += bytes.length
        return bytes
      }
    )
  }

  /** Its attributes. */
  stat(): Effect.Effect<Attr, NodeError> {
    return this.#call("fstat", (handle) => handle.stat)
  }

  /** Sets the size. */
  truncate(size = 0): Effect.Effect<void, NodeError> {
    return this.#call("ftruncate", (handle) => handle.truncate(size))
  }

  /** Makes what was written permanent. */
  sync(dataOnly: boolean): Effect.Effect<void, NodeError> {
    return this.#call(dataOnly ? "fdatasync" : "fsync", (handle) => handle.sync(dataOnly))
  }

  /** Sets the permissions. */
  chmod(mode: number | string): Effect.Effect<void, NodeError> {
    return this.#call("fchmod", (handle) => handle.chmod(modeOf(mode)))
  }

  /** Sets owner and group. */
  chown(uid: number, gid: number): Effect.Effect<void, NodeError> {
    return this.#call("fchown", (handle) => handle.chown(uid, gid))
  }

  /** Sets the times of reading and writing. */
  utimes(atime: TimeLike, mtime: TimeLike): Effect.Effect<void, NodeError> {
    return this.#call("futime", (handle) => handle.utimes(timeOf(atime), timeOf(mtime)))
  }

  /** Whether writes go to the end, wherever the position is. */
  get appends(): boolean {
    return this.#appends
  }

  /** Closes it, once. */
  close(): Effect.Effect<void, NodeError> {
    return Effect.suspend(() => {
      if (this.#closed) return Effect.void
      const closing = this.#call("close", (handle) => handle.close)
      return Effect.ensuring(
        closing,
        Effect.sync(() => {
          this.#closed = true
        })
      )
    })
  }
}

/** An open file, as `FileHandle` of `node:fs/promises`. It has no descriptor that other programs could use. */
export class FaceFileHandle implements AsyncDisposable {
  readonly #calls: HandleCalls

  constructor(calls: HandleCalls) {
    this.#calls = calls
  }

  /** As `node:fs/promises` has it. */
  async read<Buf extends Uint8Array>(
    into: Buf | ReadOptions = {},
    offset?: number | ReadOptions | null,
    length?: number | null,
    position?: number | bigint | null
  ): Promise<{ readonly bytesRead: number; readonly buffer: Uint8Array }> {
    const options: ReadOptions =
      into instanceof Uint8Array
        ? typeof offset === "object" && offset !== null
          ? { ...offset, buffer: into }
          : {
              buffer: into,
              offset: offset ?? 0,
              ...(typeof length === "number" && { length }),
              ...(position !== undefined && { position })
            }
        : into
    const { buffer = Buffer.alloc(16384), offset: from = 0 } = options
    const target = buffer.subarray(from, from + (options.length ?? buffer.length - from))
    return { bytesRead: await Effect.runPromise(this.#calls.read(target, options.position)), buffer }
  }

  /** As `node:fs/promises` has it. */
  async write<Data extends Uint8Array | string>(
    data: Data,
    offsetOrPosition?: number | null,
    lengthOrEncoding?: number | BufferEncoding | null,
    position?: number | null
  ): Promise<{ readonly bytesWritten: number; readonly buffer: Data }> {
    const text = typeof data === "string"
    const bytes = text
      ? bytesOf(data, typeof lengthOrEncoding === "string" ? lengthOrEncoding : undefined)
      : part(data, offsetOrPosition ?? 0, typeof lengthOrEncoding === "number" ? lengthOrEncoding : undefined)
    const at = text ? offsetOrPosition : position
    return { bytesWritten: await Effect.runPromise(this.#calls.write(bytes, at)), buffer: data }
  }

  /** As `node:fs/promises` has it. */
  readFile(options?: { readonly encoding?: null | "buffer" } | null): Promise<Buffer>
  /** As `node:fs/promises` has it. */
  readFile(options: BufferEncoding | { readonly encoding: BufferEncoding }): Promise<string>
  async readFile(options?: EncodingOptions): Promise<Buffer | string> {
    const bytes = await Effect.runPromise(this.#calls.readFile())
    const encoding = encodingOf(options)
    return encoding === undefined ? bytes : bytes.toString(encoding)
  }

  /** As `node:fs/promises` has it: from the file's position on, and nothing is cut off. */
  async writeFile(data: Uint8Array | string, options?: EncodingOptions): Promise<void> {
    await Effect.runPromise(this.#calls.write(bytesOf(data, encodingOf(options)), null))
  }

  /** As `writeFile`. */
  async appendFile(data: Uint8Array | string, options?: EncodingOptions): Promise<void> {
    await this.writeFile(data, options)
  }

  /** As `node:fs/promises` has it. */
  stat(options?: { readonly bigint?: false }): Promise<FaceStats>
  /** As `node:fs/promises` has it. */
  stat(options: { readonly bigint: true }): Promise<FaceBigIntStats>
  async stat(options?: { readonly bigint?: boolean }): Promise<FaceStats | FaceBigIntStats> {
    const attr = await Effect.runPromise(this.#calls.stat())
    return options?.bigint === true ? new FaceBigIntStats(attr) : new FaceStats(attr)
  }

  /** As `node:fs/promises` has it. */
  truncate(length?: number): Promise<void> {
    return Effect.runPromise(this.#calls.truncate(length))
  }

  /** As `node:fs/promises` has it. */
  sync(): Promise<void> {
    return Effect.runPromise(this.#calls.sync(false))
  }

  /** As `node:fs/promises` has it. */
  datasync(): Promise<void> {
    return Effect.runPromise(this.#calls.sync(true))
  }

  /** As `node:fs/promises` has it. */
  chmod(mode: number | string): Promise<void> {
    return Effect.runPromise(this.#calls.chmod(mode))
  }

  /** As `node:fs/promises` has it. */
  chown(uid: number, gid: number): Promise<void> {
    return Effect.runPromise(this.#calls.chown(uid, gid))
  }

  /** As `node:fs/promises` has it. */
  utimes(atime: TimeLike, mtime: TimeLike): Promise<void> {
    return Effect.runPromise(this.#calls.utimes(atime, mtime))
  }

  /** As `node:fs/promises` has it. */
  close(): Promise<void> {
    return Effect.runPromise(this.#calls.close())
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** The part of a buffer that is to be written. */
export const part = (bytes: Uint8Array, offset: number, length: number | null | undefined): Uint8Array =>
  bytes.subarray(offset, offset + (length ?? bytes.length - offset))
