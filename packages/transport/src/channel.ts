/**
 * Frames read into and written from memory of slots, told by its number and an offset in it; results as `read_frame`'s
 * and `write_frame`'s.
 */
import { addon, type FuseHandle } from "./native.ts"

export interface Channel {
  /** Reads one frame of up to `length` bytes to `offset`: its length, 0 at the end, or a negative errno. */
  readonly read: (memory: number, offset: number, length: number) => number
  /** Writes one frame: its length, or a negative errno. */
  readonly write: (memory: number, offset: number, length: number) => number
  /** Writes a frame, then reads one into the same memory: the write's result. */
  readonly exchange: (memory: number, offset: number, length: number, readOffset: number, readLength: number) => number
  /** As `exchange`; the frame goes on with the tails, up to 63. */
  readonly exchangeWith: (
    memory: number,
    offset: number,
    length: number,
    tails: ReadonlyArray<Uint8Array>,
    readOffset: number,
    readLength: number
  ) => number
  /**
   * As `read`, by way of an empty pipe: the data of a WRITE of `least` bytes or more stays there, and `isApart` is true. -EINVAL
   * where the pipe has no room for the kernel's largest request; -EIO when bytes may be left in it.
   */
  readonly readByPipe: (
    memory: number,
    offset: number,
    length: number,
    read: FuseHandle,
    write: FuseHandle,
    least: number
  ) => number
  /** What the read of the last exchange answered. */
  readonly exchanged: () => number
  /**
   * Lends memory, in place of what was lent before: the next frame read, if it is a WRITE with just so much data,
   * has it there. The frame's length is the same then.
   */
  readonly lend: (memory: Uint8Array | undefined) => void
  /** Whether the last frame's data is in the lent memory, which is lent no more then, or was left in the pipe. */
  readonly isApart: () => boolean
}

/** A channel that reads from `reader` and writes to `writer`, or a negative errno. */
export const makeChannel = (reader: FuseHandle, writer: FuseHandle): Channel | number => {
  const native = addon.channel(reader, writer)
  if (typeof native === "number") return native
  const { exchange, exchange_with: exchangeWith, lend, read, read_by_pipe: readByPipe, write } = native
  const control = new Int32Array(native.control)
  let lent: Uint8Array | undefined
  const result = (word: number): number => control[word] ?? 0
  return {
    read: (memory, offset, length) => {
      control[8] = memory
      control[2] = offset
      control[3] = length
      read()
      return result(5)
    },
    write: (memory, offset, length) => {
      control[8] = memory
      control[0] = offset
      control[1] = length
      write()
      return result(4)
    },
    exchange: (memory, offset, length, readOffset, readLength) => {
      control[8] = memory
      control[0] = offset
      control[1] = length
      control[2] = readOffset
      control[3] = readLength
      exchange()
      return result(4)
    },
    exchangeWith: (memory, offset, length, tails, readOffset, readLength) => {
      control[8] = memory
      control[0] = offset
      control[1] = length
      control[2] = readOffset
      control[3] = readLength
      const [tail] = tails
      if (tail !== undefined && tails.length === 1) exchangeWith(tail)
      else exchangeWith(...tails)
      return result(4)
    },
    readByPipe: (memory, offset, length, from, into, least) => {
      control[8] = memory
      control[2] = offset
      control[3] = length
      readByPipe(from, into, least)
      return result(5)
    },
    exchanged: () => result(5),
    lend: (memory) => {
      if (memory !== lent) {
        lent = memory
        lend(memory)
      }
      control[6] = memory === undefined ? 0 : 1
    },
    isApart: () => {
      if (control[7] === 0) return false
      control[6] = 0
      return true
    }
  }
}
