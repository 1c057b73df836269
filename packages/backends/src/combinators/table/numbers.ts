/**
 * One space of numbers for several: each number times the count of spaces, plus which. Node ids are exact;
 * inode numbers, which only tell files apart, may wrap at 2^64.
 */
import type { U64 } from "@bickford/protocol"
import { normal } from "@bickford/protocol/arithmetic"

const limit = 1n << 64n

export interface Numbers {
  /** Undefined when it has no room in 64 bits. */
  readonly outer: (space: number, inner: U64) => U64 | undefined
  /** Of an inode number. */
  readonly wrapped: (space: number, inner: U64) => U64
  readonly spaceOf: (outer: U64) => number
  readonly inner: (outer: U64) => U64
}

export const makeNumbers = (spaces: number): Numbers => {
  const wide = BigInt(spaces)
  const product = (space: number, inner: U64): U64 => {
    const quick = typeof inner === "number" ? inner * spaces + space : Number.POSITIVE_INFINITY
    return Number.isSafeInteger(quick) ? quick : normal(BigInt(inner) * wide + BigInt(space))
  }
  return {
    outer: (space, inner) => {
      const value = product(space, inner)
      return value < limit ? value : undefined
    },
    wrapped: (space, inner) => {
      const value = product(space, inner)
      return value < limit ? value : normal(BigInt(value) % limit)
    },
    spaceOf: (outer) => (typeof outer === "number" ? outer % spaces : Number(outer % wide)),
    inner: (outer) => (typeof outer === "number" ? Math.floor(outer / spaces) : normal(outer / wide))
  }
}
