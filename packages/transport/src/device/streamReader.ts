/** Frames out of a byte stream: one read may bring a part of a frame, or several. */
import { constants } from "node:os"
import { inHeaderSize } from "../headers.ts"
import { addon, type FuseHandle } from "../native.ts"

const { EPROTO } = constants.errno

export interface StreamReader {
  /** Puts the next frame into `into` and returns its length; 0 at the stream's end, or a negative errno (-EAGAIN: no whole frame yet). */
  readonly next: (into: Uint8Array) => number
  /** The length that the frame which comes next has by its header; 0 while the header is not there. */
  readonly announced: () => number
  /** Whether `next` has something to say without reading. */
  readonly ready: () => boolean
}

/** Reads frames of up to `capacity` bytes. A length that no frame can have gives -EPROTO, for good: nothing after it can be told apart. */
export const makeStreamReader = (handle: FuseHandle, capacity: number): StreamReader => {
  const buffer = new Uint8Array(capacity + 65536)
  const view = new DataView(buffer.buffer)
  let start = 0
  let end = 0

  const announced = (): number => (end - start < 4 ? 0 : view.getUint32(start, true))

  /** The length of the frame at `start`; undefined when it is not whole yet. */
  const frameLength = (): number | undefined => {
    if (end - start < 4) return undefined
    const length = announced()
    if (length < inHeaderSize || length > capacity) return -EPROTO
    return length <= end - start ? length : undefined
  }

  const next = (into: Uint8Array): number => {
    for (;;) {
      const length = frameLength()
      if (length !== undefined) {
        if (length < 0) return length
        into.set(buffer.subarray(start, start + length))
        start += length
        return length
      }
      buffer.copyWithin(0, start, end)
      end -= start
      start = 0
      const count = addon.read_frame(handle, buffer, end)
      if (count <= 0) return count
      end += count
    }
  }

  return { next, announced, ready: () => frameLength() !== undefined }
}
