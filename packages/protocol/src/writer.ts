/** A growing message, for what is not on the hot path: requests and notifications. */
import { viewOf } from "./frame.ts"
import type { S64, U64 } from "./messages.ts"
import { setS32, setS64, setU16, setU32, setU64 } from "./u64.ts"

/** Refuses a field that its bytes cannot hold. */
export class Writer {
  bytes: Uint8Array
  view: DataView
  length = 0

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity)
    this.view = viewOf(this.bytes)
  }

  /** `size` zero bytes; returns where they begin. */
  grow(size: number): number {
    const at = this.length
    this.length += size
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, this.bytes.length * 2))
      larger.set(this.bytes)
      this.bytes = larger
      this.view = viewOf(larger)
    }
    return at
  }

  u16(value: number, field: string): void {
    const at = this.grow(2)
    setU16(this.view, at, value, field)
  }
  u32(value: number, field: string): void {
    const at = this.grow(4)
    setU32(this.view, at, value, field)
  }
  s32(value: number, field: string): void {
    const at = this.grow(4)
    setS32(this.view, at, value, field)
  }
  u64(value: U64, field: string): void {
    const at = this.grow(8)
    setU64(this.view, at, value, field)
  }
  s64(value: S64, field: string): void {
    const at = this.grow(8)
    setS64(this.view, at, value, field)
  }
  data(bytes: Uint8Array): void {
    const at = this.grow(bytes.length)
    this.bytes.set(bytes, at)
  }
  /** A name's bytes and their NUL. */
  terminated(bytes: Uint8Array): void {
    this.data(bytes)
    this.grow(1)
  }
  /** Zero bytes up to a multiple of 8, counted from `start`. */
  align(start: number): void {
    this.grow(-(this.length - start) & 7)
  }
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }
}
