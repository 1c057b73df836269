/**
 * Cookies of a listing that begins with names of the table's own: theirs are 1, 2, ..., and the backend's follow, each
 * larger by the count of those, so that cookies of 32 bits stay such.
 */
import type { U64 } from "@bickford/protocol"
import { add, subtract } from "@bickford/protocol/arithmetic"

/** From here on a backend's cookies are left as they are: hashes of 63 bits may end at the last number there is. */
const hashes = 2n ** 62n

/** From a backend's cookie to the table's, after so many names of the table's own. */
export const cookieAfter =
  (own: number) =>
  (inner: U64): U64 =>
    inner >= hashes ? inner : add(inner, own)

/** From the table's cookie to the backend's; 0, its beginning, for the table's own names. */
export const cookieWithin =
  (own: number) =>
  (outer: U64): U64 => {
    if (outer <= own) return 0
    return outer >= hashes ? outer : subtract(outer, own)
  }
