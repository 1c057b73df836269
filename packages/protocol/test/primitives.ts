/** Values of fields, with their extremes. */
import * as fc from "fast-check"
import type * as M from "../src/messages.ts"

const canonical = (value: bigint): M.U64 =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value

const most64 = 2n ** 64n - 1n
const mostSigned = 2n ** 63n - 1n

export const u64 = fc
  .oneof(
    fc.constantFrom(
      0n,
      1n,
      2n ** 31n,
      2n ** 32n - 1n,
      2n ** 32n,
      2n ** 53n - 1n,
      2n ** 53n,
      mostSigned,
      mostSigned + 1n,
      most64
    ),
    fc.bigInt(0n, most64)
  )
  .map(canonical)
export const s64 = fc
  .oneof(
    fc.constantFrom(0n, -1n, -(2n ** 31n), -(2n ** 32n), -(2n ** 53n) + 1n, -(2n ** 53n), -(2n ** 63n), mostSigned),
    fc.bigInt(-(2n ** 63n), mostSigned)
  )
  .map(canonical)
/** 0 to 2^63-1: sizes and offsets. */
export const offset = fc
  .oneof(fc.constantFrom(0n, 2n ** 32n, 2n ** 53n, mostSigned), fc.bigInt(0n, mostSigned))
  .map(canonical)
export const u32 = fc.oneof(
  fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff),
  fc.integer({ min: 0, max: 0xffffffff })
)
export const u16 = fc.integer({ min: 0, max: 0xffff })
export const bytes = (maxLength: number) => fc.uint8Array({ minLength: 0, maxLength })

const asName = (raw: Uint8Array): M.Name => {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(raw)
  return Buffer.from(text, "utf8").equals(raw) ? text : raw
}
const goodByte = fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 0x2f)
const named = fc.string({ unit: "binary", minLength: 1, maxLength: 80 })
/** Strings with a byte order mark, astral letters and control characters; bytes that are not UTF-8; every length. */
export const name: fc.Arbitrary<M.Name> = fc.oneof(
  fc.constantFrom("a", ".", "..", "\ufeffx", "x".repeat(255), "\u{1f40e}".repeat(63), "\x01\x7f"),
  named.filter((text) => text.isWellFormed() && !text.includes("/") && !text.includes("\0")),
  fc.array(goodByte, { minLength: 1, maxLength: 255 }).map((array) => asName(new Uint8Array(array)))
)
/** A path may hold `/`. */
export const path: fc.Arbitrary<M.Name> = fc.oneof(
  fc.constantFrom("/", "../a/b", "/".repeat(4095)),
  fc
    .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 300 })
    .map((array) => asName(new Uint8Array(array)))
)

const nsec = fc.oneof(fc.constantFrom(0, 999_999_999), fc.integer({ min: 0, max: 999_999_999 }))
export const time = fc.record({ sec: s64, nsec })
export const duration = fc.record({ sec: u64, nsec })
export const mode = fc
  .tuple(fc.constantFrom(1, 2, 4, 6, 8, 10, 12), fc.integer({ min: 0, max: 0o7777 }))
  .map(([type, bits]) => (type << 12) | bits)

export const extensions: fc.Arbitrary<M.Extensions> = fc
  .record(
    {
      securityContexts: fc.array(fc.record({ name, value: bytes(100) }), { maxLength: 31 }),
      supplementaryGroups: fc.array(u32, { maxLength: 40 })
    },
    { requiredKeys: [] }
  )
  .filter((value) => value.securityContexts !== undefined || value.supplementaryGroups !== undefined)

/** In requests, which the kernel writes, nothing is out of range. */
export const anyTime = fc.record({ sec: s64, nsec: u32 })
export const anyFileLock = fc.record({ start: u64, end: u64, type: u32, pid: u32 })
