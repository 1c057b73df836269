/** Malformed bytes as a value. */
import { opcodeOf, uniqueOf, type Frame } from "./frame.ts"
import { inHeader } from "./generated/structs.ts"
import type { DecodeError, U64 } from "./primitives.ts"

class Malformed implements DecodeError {
  readonly _tag = "DecodeError"
  readonly message: string
  readonly field: string
  readonly offset: number
  readonly length: number
  readonly opcode: number | undefined
  readonly unique: U64 | undefined
  constructor(
    message: string,
    field: string,
    offset: number,
    length: number,
    opcode: number | undefined,
    unique: U64 | undefined
  ) {
    this.message = message
    this.field = field
    this.offset = offset
    this.length = length
    this.opcode = opcode
    this.unique = unique
  }
}

export const isDecodeError = (value: unknown): value is DecodeError => value instanceof Malformed

const sentence = (field: string, offset: number, length: number, what: string) =>
  `${field} at byte ${offset} of a frame of ${length}: ${what}`

/** Of a request; `at` is an offset into the frame's memory. */
export const malformedRequest = (frame: Frame, field: string, at: number, what: string): DecodeError => {
  const length = frame.end - frame.header
  const offset = at - frame.header
  // Up to `unique`, the header says what was asked for.
  const readable =
    frame.header + inHeader.nodeid <= frame.bytes.length && (frame.payload !== frame.args || length >= inHeader.nodeid)
  const opcode = readable ? opcodeOf(frame) : undefined
  return new Malformed(
    `${opcode === undefined ? "" : `opcode ${opcode}: `}${sentence(field, offset, length, what)}`,
    field,
    offset,
    length,
    opcode,
    readable ? uniqueOf(frame) : undefined
  )
}

/** Of a reply or notification that begins at `start`. */
export const malformedReply = (
  start: number,
  end: number,
  unique: U64 | undefined,
  field: string,
  at: number,
  what: string
): DecodeError =>
  new Malformed(sentence(field, at - start, end - start, what), field, at - start, end - start, undefined, unique)
