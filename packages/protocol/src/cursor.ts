/** A bounds-checked reader for the messages that are not on the hot path. */
import { malformedReply } from "./decodeError.ts"
import { viewOf } from "./frame.ts"
import type { DecodeError, Name, S64, U64 } from "./messages.ts"
import { readName } from "./name.ts"
import { getS64, getU64 } from "./u64.ts"

/** Reads on from `at`; past `end` it throws a `DecodeError`, caught by the public decoders. */
export class Cursor {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Where the frame begins: what a DecodeError's offset counts from. */
  readonly start: number
  readonly end: number
  at: number
  unique: U64 | undefined = undefined

  constructor(bytes: Uint8Array, start: number, end: number, view = viewOf(bytes)) {
    this.bytes = bytes
    this.view = view
    this.start = start
    this.end = Math.min(end, bytes.length)
    this.at = start
  }

  get left(): number {
    return this.end - this.at
  }

  malformed(field: string, what: string, at = this.at): DecodeError {
    return malformedReply(this.start, this.end, this.unique, field, at, what)
  }

  fail(field: string, what: string, at = this.at): never {
    throw this.malformed(field, what, at)
  }

  /** Moves past `size` bytes and returns where they began. */
  take(size: number, field: string): number {
    const at = this.at
    if (size > this.end - at) this.fail(field, `${size} bytes expected, ${this.end - at} there`)
    this.at = at + size
    return at
  }

  u32(field: string): number {
    return this.view.getUint32(this.take(4, field), true)
  }
  s32(field: string): number {
    return this.view.getInt32(this.take(4, field), true)
  }
  u64(field: string): U64 {
    return getU64(this.view, this.take(8, field))
  }
  s64(field: string): S64 {
    return getS64(this.view, this.take(8, field))
  }
  /** A view, not a copy. */
  data(size: number, field: string): Uint8Array {
    const at = this.take(size, field)
    return this.bytes.subarray(at, at + size)
  }
  name(size: number, field: string): Name {
    const at = this.take(size, field)
    return readName(this.bytes, at, at + size) ?? this.fail(field, "empty, or with a NUL or `/`", at)
  }
  finish(field = "end"): void {
    if (this.at !== this.end) this.fail(field, `${this.end - this.at} bytes too many`)
  }
}
