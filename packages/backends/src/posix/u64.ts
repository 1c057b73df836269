/** Arithmetic on exact 64-bit numbers that are a `number` while they are safe integers, else a `bigint`. */
import type { U64 } from "@bickford/session"

/** The largest file size and offset: 2^63 - 1. */
export const fileSizeMax: U64 = 0x7fffffffffffffffn

/** A `bigint`, as a number where that is exact. */
export const normal = (value: bigint): U64 =>
  value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER ? Number(value) : value

export const add = (a: U64, b: U64): U64 => {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return normal(BigInt(a) + BigInt(b))
}

export const subtract = (a: U64, b: U64): U64 =>
  typeof a === "number" && typeof b === "number" ? a - b : normal(BigInt(a) - BigInt(b))

export const min = (a: U64, b: U64): U64 => a <= b ? a : b

export const max = (a: U64, b: U64): U64 => a >= b ? a : b

/** `floor(value / 2^bits)`, which must be a safe integer. */
export const shiftRight = (value: U64, bits: number): number =>
  typeof value === "number" ? Math.floor(value / 2 ** bits) : Number(value >> BigInt(bits))

/** `value mod 2^bits`. */
export const low = (value: U64, bits: number): number =>
  typeof value === "number" ? value % 2 ** bits : Number(value & ((1n << BigInt(bits)) - 1n))

/** `value * 2^bits`. */
export const shiftLeft = (value: number, bits: number): U64 => {
  const product = value * 2 ** bits
  return Number.isSafeInteger(product) ? product : normal(BigInt(value) << BigInt(bits))
}
