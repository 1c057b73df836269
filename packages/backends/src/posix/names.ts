/** Names as map keys, and their lengths in bytes. */
import type { Name } from "@bickford/protocol"
import { nameMax } from "./linux.ts"

// No valid UTF-8 decodes to a lone surrogate, so no string name begins with one.
const notUtf8 = "\ud800"

const latin1 = (bytes: Uint8Array): string => {
  let text = ""
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

/** One string for each name: itself, or a form of its bytes that no valid name has. */
export const nameKey = (name: Name): string => typeof name === "string" ? name : notUtf8 + latin1(name)

export const nameBytes = (name: Name): number => typeof name === "string" ? Buffer.byteLength(name) : name.length

/** Longer than NAME_MAX bytes. */
export const nameTooLong = (name: Name): boolean =>
  // A UTF-16 unit is three bytes of UTF-8 at the most.
  name.length > nameMax || (name.length * 3 > nameMax && nameBytes(name) > nameMax)

/** A name to keep: bytes may be a view of a buffer that is used again. */
export const ownName = (name: Name): Name => typeof name === "string" ? name : new Uint8Array(name)
