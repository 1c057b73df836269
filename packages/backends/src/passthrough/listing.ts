/** Folders that are open, and the entries that getdents64(2) gives. */
import { type Dirent, nameFromBytes, type U64 } from "@bickford/protocol"
import { getU64 } from "@bickford/protocol/codec"
import { files } from "@bickford/transport"

/** `struct linux_dirent64`: where its fields are. */
const offAt = 8
const lengthAt = 16
const typeAt = 18
const nameAt = 19

interface Room {
  readonly bytes: Buffer
  readonly view: DataView
}

const makeRoom = (size: number): Room => {
  const bytes = Buffer.alloc(size)
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) }
}

const none = makeRoom(0)
/** Of folders that were closed, for the next ones: to make it takes longer than to list a small folder. */
const spare: Array<Room> = []
const mostSpare = 8

/**
 * One open folder: what was read ahead of the kernel is given when it asks for it. A folder whose list the kernel
 * has kept is opened and closed, and nothing asked.
 */
export class Listing {
  readonly fd: number
  #room = none
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
      if (this.#room === none) this.#room = spare.pop() ?? makeRoom(32 * 1024)
      const length = files.fs_list(this.fd, moved || offset === 0 ? offset : -1, this.#room.bytes)
      if (length < 0) return length
      this.#at = 0
      this.#end = length
      this.#position = offset
    }
    return this.#rest()
  }

  close(): void {
    files.fs_close(this.fd)
    if (this.#room !== none && spare.length < mostSpare) spare.push(this.#room)
    this.#room = none
    this.#end = 0
  }

  *#rest(): Generator<Dirent, void, undefined> {
    const { bytes, view } = this.#room
    const start = this.#at
    let passed = start
    let position = this.#position
    try {
      for (let at = start; at < this.#end;) {
        const length = view.getUint16(at + lengthAt, true)
        const off = getU64(view, at + offAt)
        let end = at + nameAt
        while ((bytes[end] ?? 0) !== 0) end++
        const name = nameFromBytes(bytes, at + nameAt, end)
        // Taken when the next is asked for: what did not fit is asked for again.
        yield { ino: getU64(view, at), off, type: view.getUint8(at + typeAt), name }
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
