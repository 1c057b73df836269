/** What a place does not do, or does in another way, for a reason that is known. */
import type { PlaceName } from "../conformance/places.ts"

interface Beyond {
  /** Of the call, as a line. */
  readonly calls: RegExp
  /** Only what is answered so there: the call is made, and the sequence ends with it. */
  readonly answer?: RegExp
  readonly reason: string
}

const elsewhere: ReadonlyArray<Beyond> = [
  {
    calls: /RENAME_WHITEOUT/,
    reason: "ext4 marks the folder as changed also when such a rename fails: the table tells of those that do not"
  }
]

const passthrough: ReadonlyArray<Beyond> = [
  {
    calls: /chmod \S+ 0?[2367]\d\d\d$/,
    reason: "the kernel, writing by itself, keeps set-group-ID where the group may not execute"
  },
  {
    calls: /^(flock|ofd_setlk)/,
    reason: "the kernel's mapping of the file behind does not keep the file open, and its locks"
  }
]

const beyond: { readonly [Name in PlaceName]?: ReadonlyArray<Beyond> } = {
  memory: elsewhere,
  sqlite: elsewhere,
  postgres: elsewhere,
  passthrough,
  workspaceFull: elsewhere,
  overlayfs: [
    { calls: /RENAME_WHITEOUT/, reason: "overlayfs keeps whiteouts to itself, and makes none for programs" },
    { calls: /FALLOC_FL_ZERO_RANGE/, reason: "the tmpfs that it lies on cannot do that" }
  ],
  memoryOnRings: elsewhere,
  passthroughOnRings: passthrough,
  passthroughByIsolates: passthrough,
  path: [
    { calls: /xattr \S+ (?!user\.[a-z])/, reason: "the filesystem of the tests takes any name for an attribute" },
    { calls: /FALLOC_FL|SEEK_(DATA|HOLE)/, reason: "the filesystem of the tests has no holes" },
    { calls: /\d{10,}/, reason: "the filesystem of the tests keeps a file in one buffer, which ends at 4 GiB" },
    { calls: /O_TMPFILE/, reason: "a file without a name has no path to call back with" },
    {
      calls: /^(mkfifo|mknod|fchmod|fchown|futimens|rmdir)/,
      reason: "what was removed while it was open has no path to call back with, or another in its folder"
    },
    {
      calls: /^rename/,
      answer: /^ENOTEMPTY$/,
      reason: "what was removed while it was open still has a name in its folder"
    },
    { calls: /RENAME_WHITEOUT/, reason: "no callback of rename makes the device that is left behind" },
    {
      calls: /chmod \S+ 0?[2367]\d\d\d$/,
      reason: "the filesystem of the tests knows the caller's user, not all the groups"
    }
  ]
}

/** What a place answers otherwise than others, and what is compared in its stead. */
const normals: {
  readonly [Name in PlaceName]?: ReadonlyArray<{ readonly of: RegExp; readonly to: string; readonly reason: string }>
} = {
  overlayfs: [
    {
      of: /(type=dir .*)nlink=\d+/,
      to: "$1nlink=any",
      reason: "a directory that is merged of two has one link (Documentation/filesystems/overlayfs.rst)"
    }
  ]
}

/** Takes out of an answer what is known to differ there. */
export const normalIn =
  (place: PlaceName) =>
  (answer: string): string =>
    (normals[place] ?? []).reduce((text, { of, to }) => text.replace(of, to), answer)

/** Whether a call is left out there. */
export const isBeyond = (place: PlaceName, line: string): boolean =>
  beyond[place]?.some(({ answer, calls }) => answer === undefined && calls.test(line)) ?? false

/** Whether it is no surprise that a call is answered so there. */
export const isKnownAnswer = (place: PlaceName, line: string, text: string): boolean =>
  beyond[place]?.some(({ answer, calls }) => answer?.test(text) === true && calls.test(line)) ?? false
