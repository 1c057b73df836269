/** What a look at a file saw (the addon's attributes), as the protocol's records. */
import type { Attr, Statx, Timespec, U64 } from "@bickford/protocol"
import { attributeWords as words, files } from "@bickford/transport"
import { normal } from "@bickford/protocol/arithmetic"
import type { IdMap } from "./ids.ts"

const two32 = 2 ** 32
const unsafeHigh = 2 ** 21

/** Which file it is: no two have the same. */
export interface Identity {
  /** Of the filesystem that it is on. */
  readonly device: number
  readonly ino: U64
  /** Seconds and nanoseconds of its birth in one, roughly: enough to tell it from one that was given its number later. */
  readonly birth: number
}

export const isSame = (one: Identity, other: Identity): boolean =>
  one.ino === other.ino && one.device === other.device && one.birth === other.birth

/**
 * What the last look saw: each look takes the place of the one before. So a function that reads this has looked itself, or is given
 * it as an argument by one that has, and reads it before anything else is looked at.
 */
export interface Attributes {
  readonly device: () => number
  readonly ino: () => U64
  readonly birth: () => number
  readonly identity: () => Identity
  readonly mode: () => number
  readonly nlink: () => number
  readonly size: () => U64
  readonly mtime: () => Timespec
  readonly ctime: () => Timespec
  readonly attr: () => Attr
  readonly statx: () => Statx
}

const wideOf = (low: number, high: number): U64 => {
  if (high === 0) return low
  return high < unsafeHigh ? high * two32 + low : (BigInt(high) << 32n) | BigInt(low)
}

/** Signed. */
const secondsOf = (low: number, high: number): number => {
  const signed = high | 0
  return signed === 0 ? low : signed * two32 + low
}

/** dev_t, as the kernel has it: 12 and 20 bits. */
const deviceOf = (major: number, minor: number): number => major * 2 ** 20 + minor

const birthOf = (seconds: number, nsec: number): number => seconds * 1e9 + nsec

/** Of the words of `SharedFiles.describe`. */
export const identityOf = (described: Uint32Array): Identity => {
  const [inoLow = 0, inoHigh = 0, low = 0, high = 0, nsec = 0, major = 0, minor = 0] = described
  return { device: deviceOf(major, minor), ino: wideOf(inoLow, inoHigh), birth: birthOf(secondsOf(low, high), nsec) }
}

/** `rootDevice`: files of other filesystems below get numbers that are no file's of this one. */
export const makeAttributes = (rootDevice: () => number, uids: IdMap, gids: IdMap): Attributes => {
  // Whole numbers, most of them small: objects made of these hold them without boxes.
  const seen = new Uint32Array(files.fs_attributes())
  const word = (index: number): number => seen[index] ?? 0
  const wide = (index: number): U64 => wideOf(word(index), word(index + 1))
  const seconds = (index: number): number => secondsOf(word(index), word(index + 1))
  const time = (index: number): Timespec => ({ sec: seconds(index), nsec: word(index + 2) })
  const device = (): number => deviceOf(word(words.devMajor), word(words.devMinor))
  const devices: Array<number> = []

  /** The number shown. */
  const shownIno = (): U64 => {
    const on = device()
    const ino = wide(words.ino)
    if (on === rootDevice()) return ino
    let index = devices.indexOf(on)
    if (index < 0) index = devices.push(on) - 1
    return normal(BigInt.asUintN(64, BigInt(ino) ^ (BigInt(index + 1) << 48n)))
  }

  const birth = (): number => birthOf(seconds(words.btime), word(words.btime + 2))

  return {
    device,
    ino: () => wide(words.ino),
    birth,
    identity: () => ({ device: device(), ino: wide(words.ino), birth: birth() }),
    mode: () => word(words.mode),
    nlink: () => word(words.nlink),
    size: () => wide(words.size),
    mtime: () => time(words.mtime),
    ctime: () => time(words.ctime),
    attr: () => ({
      ino: shownIno(),
      size: wide(words.size),
      blocks: wide(words.blocks),
      atime: time(words.atime),
      mtime: time(words.mtime),
      ctime: time(words.ctime),
      mode: word(words.mode),
      nlink: word(words.nlink),
      uid: uids.toInside(word(words.uid)),
      gid: gids.toInside(word(words.gid)),
      rdev: word(words.rdev),
      blksize: word(words.blksize),
      flags: 0
    }),
    statx: () => {
      const rdev = word(words.rdev)
      return {
        mask: word(words.mask),
        blksize: word(words.blksize),
        attributes: word(words.attributes),
        nlink: word(words.nlink),
        uid: uids.toInside(word(words.uid)),
        gid: gids.toInside(word(words.gid)),
        mode: word(words.mode),
        ino: shownIno(),
        size: wide(words.size),
        blocks: wide(words.blocks),
        attributesMask: word(words.attributesMask),
        atime: time(words.atime),
        btime: time(words.btime),
        ctime: time(words.ctime),
        mtime: time(words.mtime),
        // The kernel's new_encode_dev.
        rdevMajor: (rdev >>> 8) & 0xfff,
        rdevMinor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00),
        devMajor: 0,
        devMinor: 0
      }
    }
  }
}
