/** A range of an open file as a stream. One of Node's own would close the file when it is destroyed. */
import type { FileHandle } from "node:fs/promises"
import { Readable } from "node:stream"

const pieceBytes = 256 << 10

async function* pieces(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer, void, undefined> {
  for (let at = start; at < end;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(Math.min(pieceBytes, end - at)), 0, null, at)
    if (bytesRead === 0) throw new Error("it lies beyond the archive's end")
    yield buffer.subarray(0, bytesRead)
    at += bytesRead
  }
}

/** The bytes of `file` from `start` up to `end`. */
export const range = (file: FileHandle, start: number, end: number): Readable =>
  Readable.from(pieces(file, start, end), { objectMode: false })
