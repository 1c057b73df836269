/**
 * 64-bit numbers in two 32-bit halves: a `number` when it is a safe integer, else a `bigint`. No BigInt is
 * made on the way of a safe integer.
 */
import type { S64, U64 } from "./messages.ts"
import { refuse } from "./refusal.ts"

const two32 = 4294967296
/** High halves from here on are beyond Number.MAX_SAFE_INTEGER. */
const unsafeHigh = 0x200000

export const getU64 = (view: DataView, at: number): U64 => {
  const low = view.getUint32(at, true)
  const high = view.getUint32(at + 4, true)
  if (high === 0) return low
  return high < unsafeHigh ? high * two32 + low : view.getBigUint64(at, true)
}

export const getS64 = (view: DataView, at: number): S64 => {
  const low = view.getUint32(at, true)
  const high = view.getInt32(at + 4, true)
  if (high === 0) return low
  // -2^53 itself is not a safe integer.
  if (high < unsafeHigh && (high > -unsafeHigh || (high === -unsafeHigh && low > 0))) return high * two32 + low
  return view.getBigInt64(at, true)
}

// The two halves of what was checked; a negative number's are two's complement once they are stored.
const lowHalf = (value: U64 | S64): number =>
  typeof value === "number" ? value >>> 0 : Number(BigInt.asUintN(32, value))
const highHalf = (value: U64 | S64): number =>
  typeof value === "number" ? (value - (value >>> 0)) / two32 : Number(BigInt.asUintN(32, value >> 32n))

const checkU64 = (value: U64, field: string): void => {
  const exact =
    typeof value === "number"
      ? Number.isSafeInteger(value) && value >= 0
      : typeof value === "bigint" && value >= 0n && value <= 0xffff_ffff_ffff_ffffn
  if (!exact) refuse("EIO", `${field} is ${String(value)}, not an exact unsigned 64-bit number`)
}

const checkS64 = (value: S64, field: string): void => {
  const exact =
    typeof value === "number"
      ? Number.isSafeInteger(value)
      : typeof value === "bigint" && value >= -0x8000_0000_0000_0000n && value <= 0x7fff_ffff_ffff_ffffn
  if (!exact) refuse("EIO", `${field} is ${String(value)}, not an exact signed 64-bit number`)
}

// What is not met nearly always is apart, so that the rest is small enough to be inlined.
const setHalves = (view: DataView, at: number, value: U64 | S64): void => {
  view.setUint32(at, lowHalf(value), true)
  view.setUint32(at + 4, highHalf(value), true)
}

const putHalves = (words: Uint32Array, index: number, value: U64 | S64): void => {
  words[index] = lowHalf(value)
  words[index + 1] = highHalf(value)
}

/** Refuses what is not an exact unsigned 64-bit number. */
export const setU64 = (view: DataView, at: number, value: U64, field: string): void => {
  if (typeof value === "number") {
    const low = value >>> 0
    if (low === value) {
      view.setUint32(at, low, true)
      view.setUint32(at + 4, 0, true)
      return
    }
  }
  checkU64(value, field)
  setHalves(view, at, value)
}

/** As `setU64`, to words of 32 bits. */
export const putU64 = (words: Uint32Array, index: number, value: U64, field: string): void => {
  if (typeof value === "number") {
    const low = value >>> 0
    if (low === value) {
      words[index] = low
      words[index + 1] = 0
      return
    }
  }
  checkU64(value, field)
  putHalves(words, index, value)
}

/** Refuses what is not an exact signed 64-bit number. */
export const setS64 = (view: DataView, at: number, value: S64, field: string): void => {
  if (typeof value === "number") {
    const low = value >>> 0
    if (low === value) {
      view.setUint32(at, low, true)
      view.setUint32(at + 4, 0, true)
      return
    }
  }
  checkS64(value, field)
  setHalves(view, at, value)
}

/** As `setS64`, to words of 32 bits. */
export const putS64 = (words: Uint32Array, index: number, value: S64, field: string): void => {
  if (typeof value === "number") {
    const low = value >>> 0
    if (low === value) {
      words[index] = low
      words[index + 1] = 0
      return
    }
  }
  checkS64(value, field)
  putHalves(words, index, value)
}

export const checkU32 = (value: number, field: string): void => {
  if (value >>> 0 !== value) refuse("EIO", `${field} is ${String(value)}, not an unsigned 32-bit number`)
}

export const setU32 = (view: DataView, at: number, value: number, field: string): void => {
  checkU32(value, field)
  view.setUint32(at, value, true)
}

export const setU16 = (view: DataView, at: number, value: number, field: string): void => {
  if ((value & 0xffff) !== value) refuse("EIO", `${field} is ${String(value)}, not an unsigned 16-bit number`)
  view.setUint16(at, value, true)
}

export const setS32 = (view: DataView, at: number, value: number, field: string): void => {
  if ((value | 0) !== value) refuse("EIO", `${field} is ${String(value)}, not a signed 32-bit number`)
  view.setInt32(at, value, true)
}

// NaN and fractions fail the first test: `>>> 0` changes them.
export const isNoNsec = (nsec: number): boolean => nsec >>> 0 !== nsec || nsec > 999_999_999

/** Refuses what is not a number of nanoseconds below a second. */
export const checkNsec = (nsec: number, field: string): void => {
  if (isNoNsec(nsec)) refuse("EIO", `${field} has ${String(nsec)} nanoseconds`)
}

export const setNsec = (view: DataView, at: number, nsec: number, field: string): void => {
  checkNsec(nsec, field)
  view.setUint32(at, nsec, true)
}
