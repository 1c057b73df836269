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
/** Of directories that were closed, for the next ones: to make it takes longer than to list a small directory. */
const spare: Array<Room> = []
const mostSpare = 8

/** The largest cookie that a 32-bit program can keep (telldir(3) gives a `long`). */
const cookieMost = 0x7fffffff

/**
 * Cookies that are numbers of entries: ext4's own are hashes of 63 bits, with which 32-bit programs cannot list
 * (EOVERFLOW). Of each entry, the position that the filesystem gives: after which one it comes.
 */
class Cookies {
  #words = new Uint32Array(512)
  #count = 0

  /** How many entries are known, from the first on. */
  get count(): number {
    return this.#count
  }

  /** Notes the position of entry number `cookie`, which is at most the one after the last that is known. */
  put(cookie: number, low: number, high: number): void {
    const at = 2 * cookie - 2
    if (at >= this.#words.length) {
      const larger = new Uint32Array(2 * this.#words.length)
      larger.set(this.#words)
      this.#words = larger
    }
    this.#words[at] = low
    this.#words[at + 1] = high
    if (cookie > this.#count) this.#count = cookie
  }

  position(cookie: number): bigint {
    if (cookie === 0) return 0n
    const [low = 0, high = 0] = this.#words.subarray(2 * cookie - 2, 2 * cookie)
    return (BigInt(high) << 32n) | BigInt(low)
  }
}

/**
 * One open directory: what was read ahead of the kernel is given when it asks for it. A directory whose list the kernel
 * has kept is opened and closed, and nothing asked.
 */
export class Listing {
  readonly fd: number
  /** Others read from its descriptor too: each time it is told from where on. */
  readonly #shared: boolean
  /** After the last entry that was read, as the filesystem counts. */
  #next: U64 = 0
  #room = none
  #at = 0
  #end = 0
  /** The cookie of the next entry: after which one it comes. */
  #position: U64 = 0
  /** Undefined where the filesystem's own are small. */
  #cookies: Cookies | undefined

  constructor(fd: number, shared: boolean) {
    this.fd = fd
    this.#shared = shared
  }

  /** Entries from a cookie on, as many as there are at hand or one call gives; a negative errno where that fails. */
  entries(offset: U64): Iterable<Dirent> | number {
    const moved = offset !== this.#position
    if (!moved && this.#at < this.#end) return this.#rest()
    if (this.#room === none) this.#room = spare.pop() ?? makeRoom(32 * 1024)
    const status = moved ? this.#move(offset) : this.#fill(offset === 0 ? 0 : this.#shared ? this.#next : -1)
    if (status < 0) return status
    this.#position = offset
    return this.#rest()
  }

  /** Reads entries from a position on, or from where the directory is: how many bytes there are, or a negative errno. */
  #fill(position: U64): number {
    const length = files.fs_list(this.fd, position, this.#room.bytes)
    if (length < 0) return length
    this.#at = 0
    this.#end = length
    if (this.#shared) this.#next = length === 0 ? position : this.#last()
    if (position === 0 && this.#cookies === undefined && this.#hasWideCookies()) this.#cookies = new Cookies()
    return length
  }

  /** As `#fill`, from a cookie on: of this listing, or of an earlier one that the kernel has kept. */
  #move(offset: U64): number {
    const first = offset === 0 || this.#cookies === undefined ? this.#fill(0) : 0
    const cookies = this.#cookies
    if (first < 0 || offset === 0) return first
    if (cookies === undefined) return this.#fill(offset)
    const cookie = Number(offset)
    while (cookies.count < cookie) {
      const length = this.#fill(cookies.position(cookies.count))
      if (length <= 0) return length
      this.#note(cookies)
    }
    return this.#fill(cookies.position(cookie))
  }

  /** The position after the last entry that was read. */
  #last(): U64 {
    const { view } = this.#room
    let last = 0
    for (let at = 0; at < this.#end; at += view.getUint16(at + lengthAt, true)) last = at
    return getU64(view, last + offAt)
  }

  #hasWideCookies(): boolean {
    const { view } = this.#room
    for (let at = 0; at < this.#end; at += view.getUint16(at + lengthAt, true)) {
      if (view.getUint32(at + offAt + 4, true) !== 0 || view.getUint32(at + offAt, true) > cookieMost) return true
    }
    return false
  }

  /** Notes the entries that were just read, which come after all that are known. */
  #note(cookies: Cookies): void {
    const { view } = this.#room
    for (let at = 0; at < this.#end; at += view.getUint16(at + lengthAt, true)) {
      cookies.put(cookies.count + 1, view.getUint32(at + offAt, true), view.getUint32(at + offAt + 4, true))
    }
  }

  close(): void {
    files.fs_close(this.fd)
    this.letGo()
  }

  /** Its descriptor was closed, or is another's to close. */
  letGo(): void {
    if (this.#room !== none && spare.length < mostSpare) spare.push(this.#room)
    this.#room = none
    this.#end = 0
  }

  *#rest(): Generator<Dirent, void, undefined> {
    const { bytes, view } = this.#room
    const cookies = this.#cookies
    const start = this.#at
    let passed = start
    let position = this.#position
    try {
      for (let at = start; at < this.#end;) {
        const length = view.getUint16(at + lengthAt, true)
        const off = cookies === undefined ? getU64(view, at + offAt) : Number(position) + 1
        cookies?.put(Number(off), view.getUint32(at + offAt, true), view.getUint32(at + offAt + 4, true))
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
