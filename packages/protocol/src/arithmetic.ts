/** Arithmetic on exact 64-bit numbers that are a `number` while they are safe integers, else a `bigint`. */
import type { U64 } from "./messages.ts"

/** The largest file size and offset: 2^63 - 1. */
export const fileSizeMax: U64 = 0x7fffffffffffffffn

/** A `bigint`, as a `number` where that is exact. */
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

export const min = (a: U64, b: U64): U64 => (a <= b ? a : b)

export const max = (a: U64, b: U64): U64 => (a >= b ? a : b)

/** `floor(value / 2^bits)`, which must be a safe integer; `bits` under 31. */
export const shiftRight = (value: U64, bits: number): number => {
  if (typeof value !== "number") return Number(value >> BigInt(bits))
  // Most offsets have 32 bits, for which the machine has an instruction.
  return value >>> 0 === value ? value >>> bits : Math.floor(value / 2 ** bits)
}

/** `value mod 2^bits`; `bits` under 31. */
export const low = (value: U64, bits: number): number => {
  if (typeof value !== "number") return Number(value & ((1n << BigInt(bits)) - 1n))
  return value >>> 0 === value ? value & ((1 << bits) - 1) : value % 2 ** bits
}

/** `value * 2^bits`. */
export const shiftLeft = (value: number, bits: number): U64 => {
  const product = value * 2 ** bits
  return Number.isSafeInteger(product) ? product : normal(BigInt(value) << BigInt(bits))
}
