/** Replies whose body lies partly in files, put together in memory. */
import type { DataPart } from "@bickford/protocol"
import { constants } from "node:os"
import { addon } from "./native.ts"

const { EAGAIN } = constants.errno

/** Bytes in all. */
export const partsLength = (parts: ReadonlyArray<DataPart>): number => {
  let length = 0
  for (const part of parts) length += part.length
  return length
}

/**
 * Puts the parts at `at`, one behind the other, as far as the first file that ends before its part does. Returns their
 * length, or the negative errno of a read that failed: what came before it is no answer, since a short one says that the
 * file ends there.
 */
export const readParts = (parts: ReadonlyArray<DataPart>, bytes: Uint8Array, at: number): number => {
  let to = at
  for (const part of parts) {
    if (part instanceof Uint8Array) {
      bytes.set(part, to)
      to += part.length
      continue
    }
    const count = addon.read_range(part.fd, bytes, to, part.length, part.offset)
    // A pipe that is empty now ends a reply that has begun.
    if (count === -EAGAIN && to > at) break
    if (count < 0) return count
    to += count
    if (count < part.length) break
  }
  return to - at
}
