/**
 * The channel between the keeper and a worker: one line of JSON for each message, over a socket in each direction.
 *
 * It is not Node's IPC, which takes some messages for its own, and ends the process that hears what is no JSON: a worker
 * runs code of a person's own, and the keeper's other mounts go on whatever that sends.
 */
import type { Duplex } from "node:stream"

/** The worker's descriptor that it speaks to the keeper by. */
export const toKeeper = 3
/** The worker's descriptor that it hears the keeper by; apart, so that what a dead worker is told destroys nothing that it said. */
export const fromKeeper = 6

/** How long a line may be (bytes, without its end). */
export const lineLimit = 2 ** 20

const newline = 0x0a

export interface LineListener {
  /** What a line holds; `undefined` where it is not JSON. */
  readonly said: (value: unknown) => void
  /** A line is longer than the limit. Nothing is heard from then on. */
  readonly tooLong: () => void
}

const parse = (line: Buffer): unknown => {
  try {
    return JSON.parse(line.toString("utf8"))
  } catch {
    return undefined
  }
}

/** Cuts a stream of bytes into lines; what has no end when the stream ends is not heard. */
export const makeLineReader = ({ said, tooLong }: LineListener): ((chunk: Buffer) => void) => {
  let begun: Array<Buffer> = []
  let length = 0
  let broken = false
  const take = (part: Buffer): boolean => {
    length += part.length
    broken = length > lineLimit
    if (broken) {
      begun = []
      tooLong()
    } else begun.push(part)
    return !broken
  }
  return (chunk) => {
    if (broken) return
    let from = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      if (!take(chunk.subarray(from, end))) return
      const line = Buffer.concat(begun)
      begun = []
      length = 0
      from = end + 1
      said(parse(line))
    }
    if (from < chunk.length) take(chunk.subarray(from))
  }
}

/** Sends a message as a line; `done` is called when the kernel has it, or when the channel is gone. */
export const writeLine = (channel: Duplex, message: object, done: () => void = () => {}): void => {
  channel.write(`${JSON.stringify(message)}\n`, done)
}
