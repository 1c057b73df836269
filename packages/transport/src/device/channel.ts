/**
 * Frames read into and written from memory of slots, told by its number and an offset in it; results as `read_frame`'s
 * and `write_frame`'s.
 */
import { addon, type FuseHandle } from "../native.ts"
import { channelWords } from "../sharedWords.ts"

const words = { ...channelWords }

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
      control[words.memory] = memory
      control[words.readAt] = offset
      control[words.readLength] = length
      read()
      return result(words.read)
    },
    write: (memory, offset, length) => {
      control[words.memory] = memory
      control[words.writeAt] = offset
      control[words.writeLength] = length
      write()
      return result(words.written)
    },
    exchange: (memory, offset, length, readOffset, readLength) => {
      control[words.memory] = memory
      control[words.writeAt] = offset
      control[words.writeLength] = length
      control[words.readAt] = readOffset
      control[words.readLength] = readLength
      exchange()
      return result(words.written)
    },
    exchangeWith: (memory, offset, length, tails, readOffset, readLength) => {
      control[words.memory] = memory
      control[words.writeAt] = offset
      control[words.writeLength] = length
      control[words.readAt] = readOffset
      control[words.readLength] = readLength
      const [tail] = tails
      if (tail !== undefined && tails.length === 1) exchangeWith(tail)
      else exchangeWith(...tails)
      return result(words.written)
    },
    readByPipe: (memory, offset, length, from, into, least) => {
      control[words.memory] = memory
      control[words.readAt] = offset
      control[words.readLength] = length
      readByPipe(from, into, least)
      return result(words.read)
    },
    exchanged: () => result(words.read),
    lend: (memory) => {
      if (memory !== lent) {
        lent = memory
        lend(memory)
      }
      control[words.lend] = memory === undefined ? 0 : 1
    },
    isApart: () => {
      if (control[words.apart] === 0) return false
      control[words.lend] = 0
      return true
    }
  }
}
