/** Where a name is placed in a directory: by a hash of its bytes. */
import { dotDotOff } from "../posix/filesystem.ts"

/** A name's cookie is one of this many from its hash on: so many names of one directory may share a hash. */
const cookieWindow = 16
/** The largest cookie: `off_t` of a 32-bit program holds it. */
const cookieMax = 2 ** 31 - 1

/** Random, of each store its own: nobody can make names that have the same hash. */
export interface HashKey {
  readonly a: number
  readonly b: number
}

/** A final mix of 32 bits, in which each input bit changes half of the output's (murmur3's). */
const mix = (h: number): number => {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Where the search for a name's cookie begins: above those of `.` and `..`, below 2^31 with the whole window. */
export const firstCookie = (name: Uint8Array, { a, b }: HashKey): number => {
  let h1 = a
  let h2 = b
  for (let i = 0; i < name.length; i++) {
    const byte = name[i] ?? 0
    h1 = Math.imul(h1 ^ byte, 0x9e3779b1)
    h1 ^= h1 >>> 15
    h2 = Math.imul(h2 ^ byte, 0x5f356495)
    h2 ^= h2 >>> 13
  }
  const first = dotDotOff + 1
  return first + (mix(h2 ^ mix(h1 ^ name.length)) % (cookieMax - cookieWindow - first))
}

/** The last cookie that a name whose search begins at `first` can have. */
export const lastCookie = (first: number): number => first + cookieWindow - 1
