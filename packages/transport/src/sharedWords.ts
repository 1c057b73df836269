/**
 * Memory that JavaScript and the addon both read and write, in words of 32 bits: arguments and results in it cost less than those
 * of a call. `native/src/shared_words.h` is made of this by `scripts/shared-words.ts`.
 *
 * A module that uses them on a hot path takes a copy first (`const control = { ...channelWords }`): V8 makes a module's own
 * constant part of the machine code.
 */

/** What a channel's functions are told, and what they answer. */
export const channelWords = {
  /** The number of the memory that `writeAt` and `readAt` are offsets of. */
  memory: 0,
  /** Offset and length of what is to be written. */
  writeAt: 1,
  writeLength: 2,
  /** Offset and length of where is to be read to. */
  readAt: 3,
  readLength: 4,
  /** What the write and the read answered: as `write_frame` and `read_frame`. */
  written: 5,
  read: 6,
  /** Not 0: the lent memory may be read into. */
  lend: 7,
  /** Not 0: the data of the frame that was read is in the lent memory, or still in a pipe. */
  apart: 8
} as const

/** What a ring's two sides tell each other. Two lists follow, each of a word for each entry: those to commit, those with a request. */
export const ringWords = {
  /** How many entries are to be committed. */
  commits: 0,
  /** How many entries have a request. */
  ready: 1,
  /** Not 0: the ring is entered after JavaScript's turn, so that JavaScript need not. */
  entering: 2
} as const

/** Where a ring's lists begin. */
export const ringLists = Object.keys(ringWords).length

/**
 * Where in the attributes each is, in words of 32 bits; `ino`, `size` and `blocks` are two, the low half first,
 * times three: seconds, signed, as those, and nanoseconds.
 */
export const attributeWords = {
  ino: 0,
  size: 2,
  blocks: 4,
  mode: 6,
  nlink: 7,
  uid: 8,
  gid: 9,
  rdev: 10,
  blksize: 11,
  atime: 12,
  mtime: 15,
  ctime: 18,
  btime: 21,
  devMajor: 24,
  devMinor: 25,
  mask: 26,
  attributes: 27,
  attributesMask: 28
} as const
