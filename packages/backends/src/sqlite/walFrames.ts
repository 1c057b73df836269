/**
 * Reads the frames of an SQLite write-ahead log as recovery would (https://www.sqlite.org/fileformat2.html#walformat).
 *
 * Each frame's checksum goes on from that of the frame before. A frame that a failed fsync has lost therefore ends the
 * valid part of the log: nothing after it would be recovered, whatever later fsyncs said.
 */
import { readSync } from "node:fs"

const logHeaderBytes = 32
const frameHeaderBytes = 24
/** The checksums are of little-endian words; with the lowest bit set, of big-endian ones. */
export const walMagic = 0x377f0682
/** Frames that are read in one go. */
const framesAtOnce = 64

/** How much of a log recovery would use. */
export interface ValidFrames {
  /** Names this use of the log: it changes when SQLite begins again at the first frame. */
  readonly salt: string
  /** Valid frames, up to the last one that ends a transaction. */
  readonly frames: number
  /** Bytes from the start of the file to the end of those frames. */
  readonly bytes: number
}

const none: ValidFrames = { salt: "", frames: 0, bytes: 0 }

type Sums = readonly [number, number]

const checksum = (view: DataView, from: number, to: number, littleEndian: boolean, [first, second]: Sums): Sums => {
  let a = first
  let b = second
  for (let at = from; at < to; at += 8) {
    a = (a + view.getUint32(at, littleEndian) + b) >>> 0
    b = (b + view.getUint32(at + 4, littleEndian) + a) >>> 0
  }
  return [a, b]
}

const holds = (view: DataView, at: number, [a, b]: Sums): boolean =>
  view.getUint32(at) === a && view.getUint32(at + 4) === b

/** Reads the log that `fd` is open on, from its start. */
export const validFrames = (fd: number): ValidFrames => {
  const header = new DataView(new ArrayBuffer(logHeaderBytes))
  if (readSync(fd, header, 0, logHeaderBytes, 0) < logHeaderBytes) return none
  const kind = header.getUint32(0)
  if ((kind & ~1) !== walMagic) return none
  const littleEndian = (kind & 1) === 0
  let sums = checksum(header, 0, 24, littleEndian, [0, 0])
  if (!holds(header, 24, sums)) return none
  const salt = header.getBigUint64(16)
  const frameBytes = frameHeaderBytes + header.getUint32(8)
  const buffer = new DataView(new ArrayBuffer(frameBytes * framesAtOnce))
  let valid = { ...none, salt: String(salt) }
  for (let frame = 0; ;) {
    const read = readSync(fd, buffer, 0, buffer.byteLength, logHeaderBytes + frame * frameBytes)
    const whole = Math.floor(read / frameBytes)
    for (let at = 0; at < whole * frameBytes; at += frameBytes) {
      if (buffer.getUint32(at) === 0 || buffer.getBigUint64(at + 8) !== salt) return valid
      sums = checksum(buffer, at, at + 8, littleEndian, sums)
      sums = checksum(buffer, at + frameHeaderBytes, at + frameBytes, littleEndian, sums)
      if (!holds(buffer, at + 16, sums)) return valid
      frame++
      // The size of the database in pages, in a frame that ends a transaction; else 0.
      if (buffer.getUint32(at + 4) !== 0)
        valid = { salt: valid.salt, frames: frame, bytes: logHeaderBytes + frame * frameBytes }
    }
    if (whole < framesAtOnce) return valid
  }
}
