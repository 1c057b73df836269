/** Flag words as sets of the kernel's names, and back: bits without a name are kept. */
import { initFlagBits } from "./constants.ts"
import type { InitFlagName } from "./init.ts"

/** The names whose bits are all set, and the bits that no name has. */
export interface NamedFlags<Name extends string> {
  readonly names: ReadonlySet<Name>
  readonly unknown: number
}

/** Where several names have the same bits, all of them are in the set. */
export const namesOfFlags = <Name extends string>(
  word: number,
  table: Readonly<Record<Name, number>>
): NamedFlags<Name> => {
  const names = new Set<Name>()
  let unknown = word
  for (const name in table) {
    const bits = table[name]
    if (bits === 0 || (word & bits) >>> 0 !== bits) continue
    names.add(name)
    unknown &= ~bits
  }
  return { names, unknown: unknown >>> 0 }
}

/** `namesOfFlags` undone. */
export const flagsOfNames = <Name extends string>(
  flags: NamedFlags<Name>,
  table: Readonly<Record<Name, number>>
): number => {
  let word = flags.unknown
  for (const name of flags.names) word |= table[name]
  return word >>> 0
}

/** INIT's two words. */
export interface InitFlagWords {
  /** Bits 0 to 31. */
  readonly flags: number
  /** Bits 32 to 63. */
  readonly flags2: number
}

export interface NamedInitFlags {
  readonly names: ReadonlySet<InitFlagName>
  readonly unknown: InitFlagWords
}

const initFlagNames = Object.keys(initFlagBits) as ReadonlyArray<InitFlagName>

export const namesOfInitFlags = (words: InitFlagWords): NamedInitFlags => {
  const names = new Set<InitFlagName>()
  let { flags, flags2 } = words
  for (const name of initFlagNames) {
    const bit = initFlagBits[name]
    const mask = 1 << (bit & 31)
    if (((bit < 32 ? words.flags : words.flags2) & mask) === 0) continue
    names.add(name)
    if (bit < 32) flags &= ~mask
    else flags2 &= ~mask
  }
  return { names, unknown: { flags: flags >>> 0, flags2: flags2 >>> 0 } }
}

export const initFlagsOfNames = ({ names, unknown }: NamedInitFlags): InitFlagWords => {
  let { flags, flags2 } = unknown
  for (const name of names) {
    const bit = initFlagBits[name]
    if (bit < 32) flags |= 1 << bit
    else flags2 |= 1 << (bit - 32)
  }
  return { flags: flags >>> 0, flags2: flags2 >>> 0 }
}
