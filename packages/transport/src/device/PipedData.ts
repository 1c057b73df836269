/**
 * The data of a WRITE that the kernel has put into a pipe: it is read into memory, or spliced to a file, when somebody says
 * which. Spliced it is copied once, by the kernel, where it is copied twice by way of this process's memory.
 */
import { constants } from "node:os"
import { files } from "../filesystem/index.ts"
import { addon } from "../native.ts"
import type { Pipe } from "./pipes.ts"

const { EINVAL, EIO } = constants.errno

/** A WRITE's data, for as long as its slot is held. */
export class PipedData {
  /** Where the data lies once it has been read. */
  readonly memory: Uint8Array
  #pipe: Pipe | undefined
  /** Bytes that are still in the pipe. */
  #left: number
  /** Some of it went to a file, or was lost: it can be had no more. */
  #taken = false

  constructor(pipe: Pipe, memory: Uint8Array) {
    this.memory = memory
    this.#pipe = pipe
    this.#left = memory.length
  }

  /** True once some of it has gone to a file, or its slot was given back. */
  get taken(): boolean {
    return this.#taken
  }

  /** Reads all of it to `memory`, if it is not there yet: 0, or -EIO when it can be had no more. */
  read(): number {
    if (this.#taken) return -EIO
    if (this.#left > 0 && this.#readRest() < 0) this.#taken = true
    return this.#taken ? -EIO : 0
  }

  /**
   * Writes it to an open file at an offset, once: bytes, fewer when the file takes no more, or a negative errno when none went.
   * A file that cannot be spliced to is written to as any.
   */
  spliceTo(fd: number, offset: number | bigint): number {
    if (this.#taken) return -EIO
    const pipe = this.#pipe
    if (this.#left === 0 || pipe === undefined) return files.fs_write(fd, this.memory, offset, 0)
    const count = addon.splice_into(pipe.read, fd, offset, this.#left)
    if (count === -EINVAL) return this.read() < 0 ? -EIO : files.fs_write(fd, this.memory, offset, 0)
    if (count > 0) {
      this.#taken = true
      this.#left -= count
    }
    return count
  }

  /** Has the pipe no more: what is left in it can be had no more either. The pipe, if it still had it, and the bytes in it. */
  letGo(): { readonly pipe: Pipe | undefined; readonly left: number } {
    const gone = { pipe: this.#pipe, left: this.#left }
    this.#pipe = undefined
    if (gone.left > 0) this.#taken = true
    return gone
  }

  /** Its slot is given back: nothing can be had any more. */
  end(): void {
    this.#taken = true
  }

  #readRest(): number {
    const { memory } = this
    while (this.#left > 0 && this.#pipe !== undefined) {
      const count = addon.read_frame(this.#pipe.read, memory, memory.length - this.#left, this.#left)
      if (count <= 0) return -EIO
      this.#left -= count
    }
    return this.#left === 0 ? 0 : -EIO
  }
}
