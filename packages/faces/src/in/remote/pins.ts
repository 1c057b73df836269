/**
 * Which version of a file those who have it open see.
 *
 * The kernel keeps one page cache for a file, whoever has it open, so all of them see the same version: that of whoever opened
 * it first. When the server turns out to have another one, reads fail, and so does opening until the last of them has closed it: pages
 * of two versions never meet in one file.
 */
import type { RemoteStat } from "./RemoteSource.ts"

/** A file that is open. */
export interface Pin {
  readonly path: string
  readonly stat: RemoteStat
  users: number
  /** The server has another version. */
  outdated: boolean
  /** The whole content, where versions cannot be told apart. */
  readonly snapshot?: Snapshot
}

/** A file's content as it was when it was opened. */
export interface Snapshot {
  readonly size: number
  readonly read: (offset: number, size: number) => Promise<Uint8Array>
  readonly close: () => Promise<void>
}

/** The files that are open, by path. */
export class Pins {
  readonly #pins = new Map<string, Pin>()

  /** What those who have a file open see. */
  get(path: string): Pin | undefined {
    return this.#pins.get(path)
  }

  /** One more has it open. */
  use(pin: Pin): Pin {
    pin.users++
    this.#pins.set(pin.path, pin)
    return pin
  }

  /** One less; the last ends it. */
  async release(pin: Pin): Promise<void> {
    if (--pin.users > 0) return
    if (this.#pins.get(pin.path) === pin) this.#pins.delete(pin.path)
    await pin.snapshot?.close()
  }
}
