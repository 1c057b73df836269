/** Pieces of remote files on disk, up to a bound; what was used longest ago goes first. */
import { createHash } from "node:crypto"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A piece that is being fetched, by how many it is awaited. */
interface Fetch {
  readonly piece: Promise<Uint8Array>
  readonly controller: AbortController
  waiting: number
}

/** Pieces by key. A piece is fetched once, however many ask for it, and the fetch ends when nobody waits for it any more. */
export class DiskCache {
  readonly #folder: string
  readonly #most: number
  /** Bytes of each piece that is there, in the order of their last use. */
  readonly #pieces = new Map<string, number>()
  readonly #fetches = new Map<string, Fetch>()
  #bytes = 0

  private constructor(folder: string, most: number) {
    this.#folder = folder
    this.#most = most
  }

  /** A cache of up to `most` bytes, in a private directory below `folder` (the system's for temporary files). */
  static async make(most: number, folder = tmpdir()): Promise<DiskCache> {
    return new DiskCache(await mkdtemp(join(folder, "bickford-cache-")), most)
  }

  /** Bytes that are kept now. */
  get bytes(): number {
    return this.#bytes
  }

  /** Removes everything. */
  async close(): Promise<void> {
    for (const { controller } of this.#fetches.values()) controller.abort()
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** The piece of a key, from disk or by `fetch`. Rejects when `signal` is aborted. */
  async get(
    key: string,
    signal: AbortSignal,
    fetch: (signal: AbortSignal) => Promise<Uint8Array>
  ): Promise<Uint8Array> {
    signal.throwIfAborted()
    const name = createHash("sha256").update(key).digest("hex")
    const kept = await this.#read(name)
    if (kept !== undefined) return kept
    const known = this.#fetches.get(name) ?? this.#begin(name, fetch)
    known.waiting++
    try {
      return await Promise.race([known.piece, aborted(signal)])
    } finally {
      if (--known.waiting === 0) known.controller.abort()
    }
  }

  #begin(name: string, fetch: (signal: AbortSignal) => Promise<Uint8Array>): Fetch {
    const controller = new AbortController()
    const piece = fetch(controller.signal)
      .then(async (bytes) => {
        await this.#write(name, bytes)
        return bytes
      })
      .finally(() => this.#fetches.delete(name))
    // Those who wait are told; nobody may be left.
    piece.catch(() => undefined)
    const begun: Fetch = { piece, controller, waiting: 0 }
    this.#fetches.set(name, begun)
    return begun
  }

  async #read(name: string): Promise<Uint8Array | undefined> {
    const size = this.#pieces.get(name)
    if (size === undefined) return undefined
    this.#pieces.delete(name)
    this.#pieces.set(name, size)
    const bytes = await readFile(join(this.#folder, name)).catch(() => undefined)
    // A full disk may have cut it off, and somebody may have removed it.
    if (bytes !== undefined && bytes.length === size) return bytes
    if (this.#pieces.delete(name)) this.#bytes -= size
    return undefined
  }

  /** What cannot be kept is fetched again. */
  async #write(name: string, bytes: Uint8Array): Promise<void> {
    if (bytes.length > this.#most) return
    const written = await writeFile(join(this.#folder, name), bytes, { mode: 0o600 }).then(
      () => true,
      () => false
    )
    if (!written) return
    this.#pieces.set(name, bytes.length)
    this.#bytes += bytes.length
    for (const [oldest, size] of this.#pieces) {
      if (this.#bytes <= this.#most) break
      this.#pieces.delete(oldest)
      this.#bytes -= size
      await rm(join(this.#folder, oldest), { force: true })
    }
  }
}

/** Rejects when `signal` is aborted; never resolves. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"))
    if (signal.aborted) stop()
    else signal.addEventListener("abort", stop, { once: true })
  })
