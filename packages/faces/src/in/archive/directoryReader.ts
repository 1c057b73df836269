/** Reads for the central directory, which come in tens of bytes, out of blocks of a megabyte. */
import type { FileHandle } from "node:fs/promises"
import { Readable } from "node:stream"
import type * as Yauzl from "yauzl"

const blockBytes = 1 << 20

/** A reader of `file` for yauzl. An entry's content is never read by it. */
export const directoryReader = (yauzl: typeof Yauzl, file: FileHandle): Yauzl.RandomAccessReader => {
  let block: Buffer = Buffer.alloc(0)
  let blockAt = 0

  const load = async (position: number, length: number): Promise<void> => {
    const bytes = Buffer.allocUnsafeSlow(Math.max(blockBytes, length))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, position)
    if (bytesRead < length) throw new Error("the archive ends too early")
    block = bytes.subarray(0, bytesRead)
    blockAt = position
  }

  return new (class extends yauzl.RandomAccessReader {
    override _readStreamForRange(): Readable {
      return Readable.from([])
    }

    override read(
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
      callback: (error: Error | null) => void
    ): void {
      const give = (): void => {
        block.copy(buffer, offset, position - blockAt, position - blockAt + length)
        callback(null)
      }
      // Not at once: entries that are asked for one after the other would fill the stack.
      if (position >= blockAt && position + length <= blockAt + block.length) process.nextTick(give)
      else load(position, length).then(give, callback)
    }

    override close(callback: (error: Error | null) => void): void {
      callback(null)
    }
  })()
}
