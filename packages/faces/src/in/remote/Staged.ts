/** A file that is being written: on disk until it is closed, and then an object of the server's. */
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ReadPart } from "./Bucket.ts"

const openPrivately = async (): Promise<FileHandle> => {
  const folder = await mkdtemp(join(tmpdir(), "bickford-upload-"))
  return open(join(folder, "content"), "wx+", 0o600).finally(() => rm(folder, { recursive: true, force: true }))
}

/** A file that somebody writes to. What it held before is fetched when it is first looked into. */
export class Staged {
  path: string
  users = 0
  /** Seconds since the epoch. */
  mtime: number
  /** The server does not have it as it is. */
  dirty: boolean
  #size: number
  readonly #before: ((size: number) => AsyncIterable<Uint8Array>) | undefined
  #file: Promise<FileHandle> | undefined
  #turn: Promise<unknown> = Promise.resolve()

  /** `before` brings the content that it has on the server, `size` bytes; undefined for a new one. */
  constructor(path: string, mtime: number, size: number, before?: (size: number) => AsyncIterable<Uint8Array>) {
    this.path = path
    this.mtime = mtime
    this.#size = size
    this.#before = before
    this.dirty = before === undefined
  }

  get size(): number {
    return this.#size
  }

  #open(): Promise<FileHandle> {
    return (this.#file ??= this.#fill())
  }

  async #fill(): Promise<FileHandle> {
    const file = await openPrivately()
    try {
      let at = 0
      if (this.#before !== undefined && this.#size > 0)
        for await (const piece of this.#before(this.#size)) {
          await file.write(piece, 0, piece.length, at)
          at += piece.length
        }
      return file
    } catch (error) {
      await file.close()
      this.#file = undefined
      throw error
    }
  }

  /** One after the other: an upload sees no half of a write. */
  #inTurn<A>(body: () => Promise<A>): Promise<A> {
    const answer = this.#turn.then(body)
    this.#turn = answer.catch(() => undefined)
    return answer
  }

  /** Bytes from `offset` on, fewer at the end. */
  read(size: number, offset: number): Promise<Uint8Array> {
    return this.#inTurn(async () => {
      const length = Math.max(0, Math.min(size, this.#size - offset))
      const { buffer, bytesRead } = await (await this.#open()).read(Buffer.alloc(length), 0, length, offset)
      return buffer.subarray(0, bytesRead)
    })
  }

  /** Writes at `offset`. */
  write(bytes: Uint8Array, offset: number): Promise<void> {
    return this.#inTurn(async () => {
      await (await this.#open()).write(bytes, 0, bytes.length, offset)
      this.#size = Math.max(this.#size, offset + bytes.length)
      this.#changed()
    })
  }

  /** Sets the size. */
  truncate(size: number): Promise<void> {
    return this.#inTurn(async () => {
      // What is cut off need not be fetched.
      if (size === 0) this.#file ??= openPrivately()
      await (await this.#open()).truncate(size)
      this.#size = size
      this.#changed()
    })
  }

  #changed(): void {
    this.dirty = true
    this.mtime = Date.now() / 1000
  }

  /** Has `put` take the content to the server, if it has not got it. What fails is tried again by the next. */
  upload(put: (size: number, read: ReadPart) => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.dirty) return
      const file = await this.#open()
      await put(this.#size, async (start, size) => {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, start)
        return buffer.subarray(0, bytesRead)
      })
      this.dirty = false
    })
  }

  /** Ends it, after what is still being done with it. */
  close(): Promise<void> {
    return this.#inTurn(async () => (await this.#file)?.close())
  }
}
