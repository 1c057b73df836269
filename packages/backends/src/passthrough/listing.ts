/** Folders that are open, and the entries that getdents64(2) gives. */
import type { Dirent, Name, U64 } from "@bickford/session"
import { files } from "@bickford/transport"

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Text when it is UTF-8, else the bytes. */
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
  readonly #buffer = Buffer.alloc(32 * 1024)
  readonly #view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, this.#buffer.length)
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

  #wide(at: number): U64 {
    const high = this.#view.getUint32(at + 4, true)
    return high < 0x200000 ? high * 2 ** 32 + this.#view.getUint32(at, true) : this.#view.getBigUint64(at, true)
  }

  *#rest(): Generator<Dirent, void, undefined> {
    const start = this.#at
    let passed = start
    let position = this.#position
    try {
      for (let at = start; at < this.#end;) {
        const length = this.#view.getUint16(at + lengthAt, true)
        const off = this.#wide(at + offAt)
        let end = at + nameAt
        let bits = 0
        for (let byte = this.#buffer[end] ?? 0; byte !== 0; byte = this.#buffer[++end] ?? 0) bits |= byte
        const name = bits < 0x80 ? this.#buffer.toString("latin1", at + nameAt, end) : nameOf(this.#buffer.subarray(at + nameAt, end))
        // Taken when the next is asked for: what did not fit is asked for again.
        yield { ino: this.#wide(at), off, type: this.#view.getUint8(at + typeAt), name }
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
