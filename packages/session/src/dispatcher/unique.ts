/** A request's `unique`, by which replies and INTERRUPT name it. */
import type { U64 } from "@bickford/protocol"

/** Bit 63 of `unique` marks a request delivered before (FUSE_NOTIFY_RESEND, 7.40). */
const resendBit = 1n << 63n

/** Returns `unique` as it was when the request was delivered first. */
export const withoutResendBit = (unique: U64): U64 => {
  if (typeof unique === "number") return unique
  const cleared = unique & ~resendBit
  return cleared <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(cleared) : cleared
}
