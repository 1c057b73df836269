/** Folders that are open, and the entries that getdents64(2) gives. */
import type { Dirent, Name, U64 } from "@bickford/session"
import { files } from "@bickford/transport"
import { normal } from "../posix/u64.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

export const nameOf = (bytes: Uint8Array): Name => {
  try {
    return utf8.decode(bytes)
  } catch {
    return bytes.slice()
  }
}

/** `struct linux_dirent64`: where its fields are. */
const offAt = 8
const lengthAt = 16
const typeAt = 18
const nameAt = 19

/** One open folder: what was read ahead of the kernel is given when it asks for it. */
export class Listing {
  readonly fd: number
  readonly #buffer = new Uint8Array(32 * 1024)
  readonly #view = new DataView(this.#buffer.buffer)
  #at = 0
  #end = 0
  /** The cookie of the next entry: after which one it comes. */
  #position: U64 = 0

  constructor(fd: number) {
    this.fd = fd
  }

  /** Entries from a cookie on, as many as there are at hand or one call gives; a negative errno where that fails. */
  entries(offset: U64): Iterable<Dirent> | number {
    const moved = offset !== this.#position
    if (moved || this.#at >= this.#end) {
      const length = files.fs_list(this.fd, moved || offset === 0 ? offset : -1, this.#buffer)
      if (length < 0) return length
      this.#at = 0
      this.#end = length
      this.#position = offset
    }
    return this.#rest()
  }

  *#rest(): Generator<Dirent, void, undefined> {
    const start = this.#at
    let passed = start
    let position = this.#position
    try {
      for (let at = start; at < this.#end;) {
        const length = this.#view.getUint16(at + lengthAt, true)
        const off = normal(this.#view.getBigUint64(at + offAt, true))
        let end = at + nameAt
        while (this.#buffer[end] !== 0) end++
        // Taken when the next is asked for: what did not fit is asked for again.
        yield { ino: normal(this.#view.getBigUint64(at, true)), off, type: this.#view.getUint8(at + typeAt), name: nameOf(this.#buffer.subarray(at + nameAt, end)) }
        at += length
        passed = at
        position = off
      }
    } finally {
      this.#at = passed
      this.#position = position
    }
  }
}
